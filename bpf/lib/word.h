/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef WORD_H
#define WORD_H
/*
 * Words of memory that others read and write meanwhile. Programs take each access for what it is, one instruction, and order
 * loads by address dependency: there is no barrier for them that costs nothing. The model says it in C11's terms.
 */
#include <stdbool.h>
#include <linux/types.h>

typedef __u64 __attribute__((may_alias)) shared_word;

#ifdef __bpf__

static __always_inline __u64 load_word(const void *p)
{
	return *(const volatile shared_word *)p;
}

static __always_inline void store_word(void *p, __u64 word)
{
	*(volatile shared_word *)p = word;
}

static __always_inline void store_byte(void *p, __u8 byte)
{
	*(volatile __u8 *)p = byte;
}

/* What was there: old if word is there now. Nothing moves across it. */
static __always_inline __u64 cas_word(void *p, __u64 old, __u64 word)
{
	return __sync_val_compare_and_swap((shared_word *)p, old, word);
}

/* Publishes what was stored before. */
static __always_inline void publish_word(void *p, __u64 word)
{
	__sync_lock_test_and_set((shared_word *)p, word);
}

/* p, not to be read before word was loaded: an address dependency, which orders loads on arm64 where a test does not. The
 * assembler keeps the compiler from seeing that it adds nothing. */
static __always_inline const void *after(const void *p, __u64 word)
{
	asm volatile("%0 &= 0" : "+r"(word));
	return p + word;
}

/* n & mask, also where the compiler knows that n is not larger and would leave it out: the verifier forgets what was compared. */
static __always_inline __u64 masked(__u64 n, __u64 mask)
{
	asm volatile("%0 &= %1" : "+r"(n) : "ri"(mask));
	return n;
}

/* Keeps the compiler from having *p in registers, and so in places of the stack that nothing else is put in afterwards. */
static __always_inline void stays_in_memory(const void *p)
{
	asm volatile("" : : "r"(p) : "memory");
}

#else

/* Before each access: a test may give way to another thread there. */
#ifndef WORD_POINT
#define WORD_POINT() ((void)0)
#endif

static __always_inline __u64 load_word(const void *p)
{
	WORD_POINT();
	return __atomic_load_n((const shared_word *)p, __ATOMIC_ACQUIRE);
}

static __always_inline void store_word(void *p, __u64 word)
{
	WORD_POINT();
	__atomic_store_n((shared_word *)p, word, __ATOMIC_RELEASE);
}

static __always_inline void store_byte(void *p, __u8 byte)
{
	WORD_POINT();
	__atomic_store_n((__u8 *)p, byte, __ATOMIC_RELEASE);
}

static __always_inline __u64 cas_word(void *p, __u64 old, __u64 word)
{
	WORD_POINT();
	__atomic_compare_exchange_n((shared_word *)p, &old, word, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

static __always_inline void publish_word(void *p, __u64 word)
{
	WORD_POINT();
	__atomic_exchange_n((shared_word *)p, word, __ATOMIC_SEQ_CST);
}

static __always_inline const void *after(const void *p, __u64 word)
{
	(void)word;
	return p;
}

static __always_inline __u64 masked(__u64 n, __u64 mask)
{
	return n & mask;
}

static __always_inline void stays_in_memory(const void *p)
{
	(void)p;
}

#endif
#endif
