#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs every test below the given folders through prove's harness: built unit tests (cmocka, TAP) and live tests (*.t).
# The last line is "N passed, N failed". Exit status 1 when anything failed.
#   run_tests.pl --build build [--jobs N] [--only PATTERN] folder...
# N tests run at once; a live test with a line "# alone" runs after them, when no other does.
use strict;
use warnings;
use File::Find;
use Getopt::Long;
use TAP::Harness;
use Cwd 'abs_path';

my ($build, $only, $jobs) = ('build', $ENV{ONLY}, 1);
GetOptions('build=s' => \$build, 'only=s' => \$only, 'jobs=i' => \$jobs) or exit 2;
my @tests;
for my $folder (@ARGV) {
	my $soak = $folder =~ /soak/;
	find({ no_chdir => 1, wanted => sub {
		return if !$soak && $File::Find::name =~ m{/(soak|guest)(/|$)};
		push @tests, $_ if /\.t$/ && -x $_;
		push @tests, "$build/$1" if m{^(selftests/unit/.*)\.c$} && -x "$build/$1";
	} }, $folder);
}
@tests = sort { ($a =~ /\.t$/) <=> ($b =~ /\.t$/) or $a cmp $b } @tests;
@tests = grep { /$only/ } @tests if defined $only && length $only;

sub alone { my $test = shift; open my $in, '<', $test or die "$test: $!"; return $test =~ /\.t$/ && grep { /^# alone$/ } <$in>; }
my @alone = grep { alone($_) } @tests;
my %rules = @alone ? (rules => { seq => [ { par => [ grep { !alone($_) } @tests ] }, { seq => \@alone } ] }) : ();

$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
$ENV{XB_BUILD} = abs_path($build);
$ENV{ASAN_OPTIONS} //= 'detect_leaks=1:quarantine_size_mb=4:thread_local_quarantine_size_kb=64';
$ENV{UBSAN_OPTIONS} //= 'print_stacktrace=1';
$| = 1;
my $harness = TAP::Harness->new({ verbosity => $ENV{VERBOSE} ? 1 : 0, failures => 1, comments => 1, timer => 1, jobs => $jobs, %rules,
	exec => sub { my (undef, $test) = @_; return [ $test ] } });
my $result = $harness->runtests(@tests);
my $failed = $result->failed + ($result->has_errors ? scalar($result->parse_errors) + scalar(grep { !/^0$/ } $result->exit) : 0);
$failed ||= 1 if $result->get_status ne 'PASS';
printf "%d passed, %d failed\n", scalar($result->passed), $failed;
exit($failed ? 1 : 0);
