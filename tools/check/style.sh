#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a reader may rely on in every source file. Prints each break as file:line: what; exit status 1 when there is one.
set -eu
cd "$(dirname "$0")/../.."
bad=0
there() { while read -r f; do [ ! -e "$f" ] || echo "$f"; done; } # not what is deleted and not yet committed
mapfile -t sources < <(git ls-files -co --exclude-standard '*.c' '*.h' | there)
mapfile -t all < <(git ls-files -co --exclude-standard | there | grep -Ev '^(LICENSE|README\.md|.*/README\.md|selftests/fuzz/corpus/.*|.*\.json|\.gitignore)$')
say() { if [ -n "$2" ]; then printf '%s\n' "$2" | sed "s/\$/   <- $1/"; bad=1; fi; }

say 'no SPDX line'                    "$(awk 'BEGIN { for (i = 1; i < ARGC; i++) without[ARGV[i]] } FNR > 3 { nextfile }
	/SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause/ { delete without[FILENAME] } END { for (f in without) print f }' "${all[@]}")"
# strings are not split, so they do not count
say 'line over 140 characters'        "$(perl -ne '$l = $_; s/"(\\.|[^"\\])*"/""/g; s/\t/        /g; print "$ARGV:$.:" . substr($l, 0, 60) . "\n" if length > 141; close ARGV if eof' "${sources[@]}" | tr -d '\t')"
say 'white space at the end'          "$(grep -nP '[ \t]+$' "${sources[@]}" | cut -c1-100 || true)"
say 'spaces where a tab belongs'      "$(grep -nP '^ {8}' "${sources[@]}" | cut -c1-100 || true)"
say '// comment'                      "$(grep -nP '(^|[^:"])//' "${sources[@]}" | grep -vP '"[^"]*//[^"]*"|/\*.*//' | cut -c1-100 || true)"
say 'word that does not belong here'  "$(grep -nwE 'TODO|FIXME|XXX|HACK' "${sources[@]}" || true)"
say 'typedef of a struct'             "$(grep -nE '^typedef (struct|enum|union)' "${sources[@]}" || true)"
say 'unbounded or unsafe function'    "$(grep -nwP '(strcpy|strcat|sprintf|vsprintf|gets|system|popen|strtok)\s*\(' "${sources[@]}" || true)"
say 'no include guard'                "$(git ls-files -co --exclude-standard '*.h' | there | xargs grep -L '^#ifndef' || true)"
exit $bad
