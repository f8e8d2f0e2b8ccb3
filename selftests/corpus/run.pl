#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Runs case files, which README.md describes: each section against an API server of its own, several at a time. TAP.
#   run.pl --server PATH --kubectl VERSION=PATH [--kubectl ...] --tmp FOLDER [--core] [--only PATTERN] [--jobs N] FILE...
use strict;
use warnings;
use File::Basename 'basename';
use File::Path 'make_path';
use Getopt::Long;
use Time::HiRes 'sleep';

my ($server, $tmp, $core, $only, $jobs, %kubectl) = (undef, undef, 0, '', 3);
GetOptions('server=s' => \$server, 'kubectl=s' => \%kubectl, 'tmp=s' => \$tmp, 'core' => \$core, 'only=s' => \$only, 'jobs=i' => \$jobs) or exit 2;
die "run.pl: --server, --tmp and --kubectl are needed\n" unless $server && $tmp && %kubectl;

# what a placeholder stands for in expected output
my %placeholder = (
	age => '(?:<invalid>|\d+[smhdy](?:\d+[smhd])?)',
	uid => '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}',
	rv => '"?\d+"?',
	ip => '10\.(?:9[6-9]|10\d|11[01])\.\d+\.\d+',
	port => '3[0-2]\d{3}',
	time => '(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \S+)',
	id => '[0-9a-z]+',
	n => '\d+',
	any => '.*',
);

# lines of a file for one kubectl: "1.20| text" is text for that one and nothing for others
sub lines_of {
	my ($file, $version) = @_;
	open my $in, '<', $file or die "run.pl: cannot open $file: $!\n";
	my @lines;
	while (my $text = <$in>) {
		chomp $text;
		next if $text =~ s/^(\d+\.\d+)\|(?: |$)// && $1 ne $version;
		push @lines, [ $., $text ];
	}
	return @lines;
}

# the sections of a file for one kubectl: { name, core, files => { name => text }, cases => [ { line, command, out, err, status } ] }
sub sections_of {
	my ($file, $version) = @_;
	my (@sections, %common, $case, $text);
	for (lines_of($file, $version)) {
		my ($line, $l) = @$_;
		if ($l =~ /^== (.+?)(?: \((.+)\))?$/) {
			my @marks = split /, /, $2 // '';
			push @sections, { name => $1, file => $file, line => $line, version => $version, files => { %common }, cases => [],
				core => scalar(grep { $_ eq 'core' } @marks), only => [ grep { /^\d/ } @marks ] };
			($case, $text) = ();
		} elsif ($l =~ /^file (\S+)$/) {
			my $files = @sections ? $sections[-1]{files} : \%common;
			($case, $text) = (undef, \($files->{$1} = ''));
		} elsif ($text && $l =~ s/^\t//) {
			$$text .= "$l\n";
		} elsif ($l =~ /^\$ (.+)/ && @sections) {
			($case, $text) = ({ line => $line, command => $1, out => '', err => '', status => 0 }, undef);
			push @{$sections[-1]{cases}}, $case;
		} elsif ($l =~ /^#( |$)/ || ($l eq '' && !$case)) {
			next;
		} elsif (!$case) {
			die "$file:$line: expected '== section', 'file NAME', '\$ command' or a line of output after a command\n";
		} elsif ($l =~ /^\[(\d+)\]$/) {
			$case->{status} = $1;
		} elsif ($l =~ s/^!(?: |$)//) {
			$case->{err} .= "$l\n";
		} else {
			$case->{out} .= "$l\n";
		}
	}
	return grep { !@{$_->{only}} || grep { $_ eq $version } @{$_->{only}} } @sections;
}

# Columns are kubectl's business, and as wide as what is in them: two spaces or more after the line's first word are like any other
# such number. Empty lines at the end do not count.
sub plain {
	my ($text) = @_;
	$text =~ s/(?<=\S) {2,}/  /g;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n*\z/\n/;
	return $text eq "\n" ? '' : $text;
}

sub matches {
	my ($got, $want) = @_;
	my $re = '';
	for my $line (split /\n/, plain($want)) {
		if ($line eq '...') { $re .= '(?:.*\n)*?'; next }
		$re .= join('', map { /^\{(\w+)\}$/ && $placeholder{$1} ? $placeholder{$1} : quotemeta } split /(\{\w+\})/, $line) . '\n';
	}
	return plain($got) =~ /\A$re\z/;
}

sub slurp { my ($path) = @_; local $/; open my $in, '<', $path or return ''; return <$in> // '' }
sub spill { my ($path, $text) = @_; open my $out, '>', $path or die "run.pl: cannot write $path: $!\n"; print $out $text; close $out }
sub note { my ($what, $text) = @_; return join '', map { "#   $what $_\n" } split /\n/, $text }

sub start_server {
	my ($dir, $port) = @_;
	my $pid = fork // die "run.pl: fork: $!\n";
	if (!$pid) {
		open STDOUT, '>', "$dir.log";
		open STDERR, '>&', \*STDOUT;
		exec $server, "--secure-port=$port", '--bind-address=192.0.2.1', '--advertise-address=192.0.2.1', "--cert-dir=$dir.pki", "--data-dir=$dir.data",
			"--kubeconfig-out=$dir.conf", '--authorization-mode=Node,RBAC', '--service-cluster-ip-range=10.96.0.0/12',
			'--disable-admission-plugins=ServiceAccount' or exit 127;
	}
	for (1 .. 500) {
		return $pid if system("curl -fsS --max-time 2 --cacert $dir.pki/ca.crt https://192.0.2.1:$port/readyz >/dev/null 2>&1") == 0;
		sleep 0.02;
	}
	kill 'KILL', $pid;
	die "the API server is not ready: " . slurp("$dir.log");
}

sub run_case {
	my ($section, $case, $dir) = @_;
	my $r = system('timeout', '-k', '1', '60', 'bash', '-c', "cd $dir && { $case->{command}\n} >../out 2>../err </dev/null");
	my ($status, $out, $err) = ($r >> 8, slurp("$dir/../out"), slurp("$dir/../err"));
	my $good = $status == $case->{status} && matches($out, $case->{out}) && matches($err, $case->{err});
	(my $name = basename($section->{file}) . ":$case->{line} ($section->{version}): $case->{command}") =~ s/#/\\#/g;
	print $good ? "ok - $name\n" : "not ok - $name\n";
	print "# expected, exit status $case->{status}:\n", note(' ', $case->{out}), note('!', $case->{err}),
		"# got, exit status $status:\n", note(' ', $out), note('!', $err) unless $good;
}

# one section, in a process of its own, whose standard output is $tmp/N/tap
sub run_section {
	my ($section, $n) = @_;
	my $dir = "$tmp/$n/work";
	make_path($dir, "$tmp/$n/home", "$tmp/bin-$section->{version}");
	open STDOUT, '>', "$tmp/$n/tap" or die "run.pl: $tmp/$n/tap: $!\n";
	symlink $kubectl{$section->{version}}, "$tmp/bin-$section->{version}/kubectl";
	spill("$dir/$_", $section->{files}{$_}) for keys %{$section->{files}};
	my $pid = eval { start_server($dir, 7000 + $n) };
	if (!$pid) { print "not ok - $section->{file}: $section->{name}\n", note(' ', $@); return }
	$ENV{PATH} = "$tmp/bin-$section->{version}:$ENV{PATH}";
	@ENV{qw(HOME KUBECONFIG PORT LC_ALL TZ)} = ("$tmp/$n/home", "$dir.conf", 7000 + $n, 'C.UTF-8', 'UTC');
	run_case($section, $_, $dir) for @{$section->{cases}};
	kill 'TERM', $pid;
	waitpid $pid, 0;
	print "not ok - $section->{file}: $section->{name}: the API server ended with status $?\n", note(' ', slurp("$dir.log")) if $?;
}

my (@sections, %running);
for my $version (sort keys %kubectl) {
	push @sections, grep { ($_->{core} || !$core) && "$_->{file} $_->{name} $version" =~ /$only/ } sections_of($_, $version) for @ARGV;
}
my ($tests, $failed, $next) = (0, 0, 0);
$| = 1;
while ($next < @sections || %running) {
	if ($next < @sections && keys %running < $jobs) {
		my $pid = fork // die "run.pl: fork: $!\n";
		if (!$pid) { run_section($sections[$next], $next); close STDOUT; exit 0 }
		$running{$pid} = $next++;
		next;
	}
	my $n = delete $running{my $pid = wait};
	my $tap = slurp("$tmp/$n/tap") . ($? ? "not ok - $sections[$n]{file}: $sections[$n]{name}: its runner ended with status $?\n" : '');
	$tests += () = $tap =~ /^(?:not )?ok /mg;
	$failed += () = $tap =~ /^not ok /mg;
	print $tap;
}
print "1..$tests\n";
exit($failed || !$tests ? 1 : 0);
