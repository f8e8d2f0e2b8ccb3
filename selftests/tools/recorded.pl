#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Does with a cluster what was done with a recorded one, and compares what the controllers of both did of it. TAP: a test for each
# manipulation, and what differs as a diff: '-' was recorded, '+' is ours.
#   recorded.pl --record FILE --api URL --ca FILE --token TOKEN
#
# What a side did is told in lines, with placeholders for names that are made up, hashes, times, addresses and nodes:
#   KIND NAME made                     terminating, gone: an object's life
#   KIND NAME .path = 'value'          a leaf that is set
#   KIND NAME .path: 'a' > 'b' > none  one that changed, by all values that it took; of numbers the first and the last
#   KIND NAME .path has VALUE          has no more: a list of which the order says nothing
#   EVENT of KIND NAME by COMPONENT: ...
# The lines are compared as a set, so neither what came before what matters nor how much changed at once. Where an order is
# promised, @order has it. What may differ is in @tolerated, each with its reason.
use strict;
use warnings;
use Getopt::Long;
use IO::Select;
use JSON::PP;
use Time::HiRes 'time';

# --- what may differ: on whose side, at which manipulation, lines like this, what they become ('': nothing), and why ---
my @tolerated = (
	# what nodes do, of which both sides have only stand-ins
	[ 'both', '', qr/^Pod \S+ \.status\.(?!qosClass|conditions\[PodScheduled\])/, '', 'written by a kubelet' ],
	# a matter of time
	[ 'both', '', qr/^EndpointSlice \S+ \.metadata\.generation/, '', 'how many writes there were' ],
	[ 'both', 'scale|delete|relabel', qr/last-change-trigger-time/, '',
		'there when a change was written last, not there when a retry was' ],
	[ 'both', 'rolling update|deployment deleted', qr/^ReplicaSet \S+ \.(metadata\.g|status\.observedG)eneration/, '', 'one pod at a time, or two' ],
	[ 'both', 'rolling update', qr/Scaled (up|down) replica set \S+ (from \d )?to [123]'/, '', 'the same' ],
	[ 'both', 'deployment$|rolling update', qr/^Deployment \S+ \.status\.conditions\[Progressing\]/,
		sub { map { s/ > 'ReplicaSet(Updated| "\S+" is progressing\.)'//r } @_ }, 'not told when all pods are ready at once' ],
	# what the recorded cluster suffered from
	[ 'recorded', '', qr/FailedToUpdateEndpoint/, '',
		'decided on a copy that was behind, refused, and tried again: ours waits for what it wrote' ],
	[ 'recorded', '', qr/^EndpointSlice \S+ \.endpoints/, '', 'all pods had one address, which a slice lists once' ],
	[ 'recorded', '', qr/^Endpoints \S+ \.subsets\[0\]\.addresses/, \&and_in_slice,
		'so what the Endpoints list is expected of the slice' ],
	[ 'recorded', 'unschedulable', qr/ FailedScheduling /, sub { $_[0] },
		'tried twice at once: it took its own note for a change of the pod' ],
	# what v1.33 does otherwise than the recorded v1.20
	[ 'ours', '', qr/^ConfigMap kube-root-ca.crt \.|^ServiceAccount default \./, '', 'recorded from when they were there' ],
	[ 'ours', '', qr/^(Pod|Job) \S+ \.metadata\.generation/, '', 'they have one' ],
	[ 'ours', '', qr/^Endpoints \S+ \.metadata\.labels\.endpoints\.kubernetes\.io\/managed-by = 'endpoint-controller'$/, '',
		'a new label' ],
	[ 'ours', '', qr/^Service \S+ \.spec\.(internalTrafficPolicy = 'Cluster'|ipFamilies = 'IPv4'|ipFamilyPolicy = 'SingleStack')$/, '',
		'new fields' ],
	[ 'ours', '', qr/^EVENT of Deployment .*'Scaled/, sub { map { s/ from \d to / to /r } @_ }, 'says from how many, too' ],
	[ 'ours', 'daemonset', qr/^DaemonSet \S+ \.spec\.updateStrategy\.rollingUpdate\.maxSurge = '0'$/, '', 'a new field' ],
	[ 'ours', 'statefulset', qr/^StatefulSet \S+ \.spec\.persistentVolumeClaimRetentionPolicy\.when(Deleted|Scaled) = 'Retain'$/, '', 'new fields' ],
	[ 'ours', 'statefulset', qr/^StatefulSet \S+ \.status\.availableReplicas = '2'$/, '', 'a new field' ],
	[ 'ours', 'statefulset', qr/^Pod ss-(\d) \.metadata\.labels\.apps\.kubernetes\.io\/pod-index = '\1'$/, '', 'a new label' ],
	[ 'ours', 'job', qr/^(Job|Pod) \S+ (\.spec\.template)?\.metadata\.labels\.batch\.kubernetes\.io\/(controller-uid|job-name) =/, '',
		'labels beside the old ones' ],
	[ 'ours', 'job', qr/^Pod \S+ \.metadata\.finalizers = 'batch.kubernetes.io\/job-tracking'$/, '', 'pods are counted by finalizers' ],
	[ 'ours', 'job', qr/^Job j \.spec\.(completionMode = 'NonIndexed'|podReplacementPolicy = 'TerminatingOrFailed'|suspend = 'false')$/, '',
		'new fields' ],
	[ 'ours', 'job', qr/^Job j \.status\.(ready = '1'|terminating = '0')$/, '', 'new fields' ],
	[ 'ours', 'unschedulable', qr/^(EVENT of )?Pod big .* preemption: /,
		sub { map { s/ preemption: 0\/2 nodes are available: 2 Preemption is not helpful for scheduling\.//r } @_ }, 'says that preemption was tried' ],
	[ 'ours', 'namespace deleted', qr/^((DaemonSet|StatefulSet|Job) \S+ \.status|Pod j-\S+ \.metadata\.finalizers)/, '',
		'pods go before all else, and who made them sees them go' ],
	[ 'recorded', 'namespace deleted', qr/^Secret default-token-\w+ gone$/, '', 'tokens are asked for, no Secret has them' ],
);
# what is before what, on both sides
my @order = (
	[ 'delete one pod', 'Pod my-nginx-\* terminating', 'Pod my-nginx-\* made' ],
	[ 'delete rc', 'ReplicationController my-nginx gone', 'Pod my-nginx-\* terminating' ],
	[ 'deployment$', 'Deployment web made', 'ReplicaSet web-HASH1 made' ],
	[ 'deployment$', 'ReplicaSet web-HASH1 made', 'Pod web-HASH1-\* made' ],
	[ 'deployment deleted', 'Deployment web terminating', 'ReplicaSet web-HASH2 terminating' ],
	[ 'deployment deleted', 'ReplicaSet web-HASH2 terminating', 'Pod web-HASH2-\* terminating' ],
	[ 'deployment deleted', 'Pod web-HASH2-\* gone', 'ReplicaSet web-HASH2 gone' ],
	[ 'deployment deleted', 'ReplicaSet web-HASH2 gone', 'Deployment web gone' ],
	[ 'statefulset', 'Pod ss-0 ready', 'Pod ss-1 made' ],
);

# an endpoint as v1.33 has it in a slice, too
sub and_in_slice { return map { ($_, slice_of($_)) } @_ }
sub slice_of {
	my ($line) = @_;
	my $conditions = '.conditions.ready=true .conditions.serving=true .conditions.terminating=false';
	return $line =~ s/^Endpoints (\S+) \S+ (has|has no more) \.ip=IP /EndpointSlice $1-* .endpoints $2 .addresses=IP $conditions /r;
}

my ($record, $api, $ca, $token);
GetOptions('record=s' => \$record, 'api=s' => \$api, 'ca=s' => \$ca, 'token=s' => \$token) or exit 2;
die "recorded.pl: --record, --api, --ca and --token are needed\n" unless $record && $api && $ca && $token;
my $json = JSON::PP->new->canonical->allow_nonref;

# --- a side: its objects as leaves, the names of its Events, and what was made up: name => placeholder, kind and placeholder => names ---
sub new_side { return { objects => {}, events => {}, names => {}, made => {} } }
sub copy_of { my ($side) = @_; return { %$side, objects => { %{$side->{objects}} }, events => { %{$side->{events}} } } }

# learns what is made up in an object, before it is told about
sub learn {
	my ($side, $o) = @_;
	my ($m, $names) = ($o->{metadata}, $side->{names});
	for (grep { $_ } @{$m->{labels}}{'pod-template-hash', 'controller-revision-hash'}) {
		my $hash = s/.*-//r;
		$names->{$hash} = 'HASH' . (1 + grep { /^HASH/ } values %$names) unless $names->{$hash};
	}
	my $name = $m->{generateName} && $m->{name} =~ /^\Q$m->{generateName}\E\w{5}$/ ? "$m->{generateName}*" : $m->{name};
	return if $names->{$m->{uid}};
	push @{$side->{made}{"$o->{kind} $name"}}, $m->{name};
	$names->{$m->{name}} = $name if $name ne $m->{name};
	$names->{$m->{uid}} = "uid of $o->{kind} $name";
}
# a value with placeholders; as it is without a side
sub plain {
	my ($side, $text) = @_;
	my $names = ($side // return $text)->{names};
	$text =~ s/\b([a-z0-9]+(?:-[a-z0-9]+)*)\b/$names->{$1} \/\/ $1/ge;
	$text =~ s/\b([a-z0-9]+)\b/$names->{$1} \/\/ $1/ge;
	$text =~ s/\b\d{4}-\d\d-\d\dT[\d:.]+Z/TIME/g;
	$text =~ s/\b\d+\.\d+\.\d+\.\d+\b/IP/g;
	return $text =~ s/\bnode-\d\b/NODE/gr;
}

my $list = qr/\.(endpoints|addresses|notReadyAddresses)$/;
my $untold = qr/^(\.metadata\.(uid|resourceVersion|name|namespace|creationTimestamp|managedFields)|\.kind|\.apiVersion)$|\.resourceVersion$|
	conditions\[\w+\]\.(type|last\w+)$/x;
# the leaves of a value by their paths: { path => text }
sub leaves {
	my ($side, $value, $path, $ret) = @_;
	return if !defined $value || $path =~ $untold;
	if (ref $value eq 'HASH') {
		leaves($side, $value->{$_}, "$path.$_", $ret) for keys %$value;
	} elsif (ref $value eq 'ARRAY' && $path =~ $list && ref $value->[0]) {
		$ret->{$path} = join "\n", map { leaves(undef, $_, '', \my %of); join ' ', map { "$_=$of{$_}" } sort keys %of } @$value;
	} elsif (ref $value eq 'ARRAY' && !grep { ref } @$value) {
		$ret->{$path} = join ' ', sort map { plain($side, $_) } @$value;
	} elsif (ref $value eq 'ARRAY') {
		for my $i (0 .. $#$value) {
			my $e = $value->[$i];
			my $key = $e->{type} || ($e->{effect} ? "$e->{key}:$e->{effect}" : $e->{name}) || $i;
			leaves($side, $e, "$path\[" . plain($side, $key) . ']', $ret);
		}
	} else {
		$ret->{plain($side, $path)} = plain($side, ref $value ? ($value ? 'true' : 'false') : $value =~ s/\n/\\n/gr);
	}
}

sub event_line {
	my ($side, $e) = @_;
	my ($o, $from) = ($e->{involvedObject}, $e->{source}{component} || $e->{reportingComponent});
	return plain($side, "EVENT of $o->{kind} $o->{name} by $from: $e->{type} $e->{reason} '$e->{message}' x" . ($e->{count} // $e->{series}{count} // 1));
}

# the values that a leaf took, as lines
sub change_lines {
	my ($side, $name, $path, @values) = @_;
	if ($path =~ $list) {
		my %n;
		$n{$_}++ for split /\n/, $values[-1] // '';
		$n{$_}-- for split /\n/, $values[0] // '';
		return map { plain($side, "$name $path " . ($n{$_} > 0 ? 'has' : 'has no more') . " $_") } grep { $n{$_} } keys %n;
	}
	my @told = map { defined $_ ? "'$_'" : 'none' } @values;
	@told = @told[0, -1] if !grep { !/^('\d+'|none)$/ } @told;
	return () if @told == 2 && $told[0] eq $told[1];
	return "$name $path = $told[1]" if $told[0] eq 'none' && @told == 2;
	return "$name $path: " . join ' > ', @told;
}

# what one side's watch events of one manipulation say; the side's objects are then as they are after it
sub lines_of {
	my ($side, @events) = @_;
	my (%told, %life, %leaf);
	learn($side, $_->{object}) for grep { $_->{object}{kind} ne 'Event' } @events;
	for my $event (@events) {
		my ($o, $objects, $deleted) = ($event->{object}, $side->{objects}, $event->{type} eq 'DELETED');
		my $id = "$o->{kind} $o->{metadata}{name}";
		if ($o->{kind} eq 'Event') {
			$told{$id} = event_line($side, $o) unless $deleted;
			if ($deleted) { delete $side->{events}{$id} } else { $side->{events}{$id} = 1 }
			$told{''} = 'EVENTs gone' if $deleted && !%{$side->{events}};
			next;
		}
		leaves($side, $o, '', my $is = {});
		my $was = $objects->{$id} // ($event->{type} eq 'ADDED' ? undef : $is);
		push @{$life{$id}}, 'made' if !$was;
		push @{$life{$id}}, 'terminating' if $is->{'.metadata.deletionTimestamp'} && !$was->{'.metadata.deletionTimestamp'};
		push @{$life{$id}}, 'gone' if $deleted;
		for my $path (keys %{{ %$is, %{$was // {}} }}) {
			next if ($was->{$path} // "\0") eq ($is->{$path} // "\0");
			push @{$leaf{$id}{$path} //= [ $was->{$path} ]}, $is->{$path};
		}
		if ($deleted) { delete $objects->{$id} } else { $objects->{$id} = $is }
	}
	my @lines = values %told;
	for my $id (keys %life) { push @lines, map { plain($side, $id) . " $_" } @{$life{$id}} }
	for my $id (keys %leaf) { push @lines, map { change_lines($side, plain($side, $id), $_, @{$leaf{$id}{$_}}) } keys %{$leaf{$id}} }
	return @lines;
}

# --- comparing ---
sub tolerate {
	my ($whose, $title, @lines) = @_;
	for (@tolerated) {
		my ($side, $at, $pattern, $as) = @$_;
		next if $side ne 'both' && $side ne $whose || $title !~ /^(?:$at)/;
		my @hit = grep { /$pattern/ } @lines or next;
		$_->[5] = 'seen';
		@lines = ((grep { !/$pattern/ } @lines), $as ? $as->(@hit) : ());
	}
	return @lines;
}
# what is in one list and not in the other
sub difference {
	my ($expected, $got) = @_;
	my %n;
	$n{$_}++ for @$expected;
	$n{$_}-- for @$got;
	return map { ($n{$_} > 0 ? '- ' : '+ ') . $_ . (abs $n{$_} > 1 ? '   x ' . abs $n{$_} : '') } sort grep { $n{$_} } keys %n;
}

# the first place where one of these happened, and the last
sub places {
	my ($pattern, @moments) = @_;
	my @at = grep { $moments[$_] =~ /^$pattern$/ } 0 .. $#moments;
	return @at[0, -1];
}
# what an order forbids that happened
sub disorder {
	my ($side, $title, @events) = @_;
	my (%was, @moments, @wrong);
	for my $event (@events) {
		my $o = $event->{object};
		my ($id, $was) = (plain($side, "$o->{kind} $o->{metadata}{name}"), \$was{$o->{metadata}{uid}});
		my $ready = grep { $_->{type} eq 'Ready' && $_->{status} eq 'True' } @{$o->{status}{conditions} // []};
		push @moments, "$id made" if $event->{type} eq 'ADDED';
		push @moments, "$id ready" if $ready && !$$was->{ready};
		push @moments, "$id terminating" if $o->{metadata}{deletionTimestamp} && !$$was->{terminating};
		push @moments, "$id gone" if $event->{type} eq 'DELETED';
		$$was = { ready => $ready, terminating => $o->{metadata}{deletionTimestamp} };
	}
	for (grep { $title =~ /^(?:$_->[0])/ } @order) {
		my ($at, $before, $after) = @$_;
		my ($last, $first) = ((places($before, @moments))[1], (places($after, @moments))[0]);
		push @wrong, "'$before' is not before '$after'" unless defined $last && defined $first && $last < $first;
	}
	return @wrong;
}

# --- the cluster: requests by curl, and a watch for each kind ---
my @curl = ('curl', '-sS', '--cacert', $ca, '-H', "Authorization: Bearer $token");
my %plurals = (
	'/api/v1' => [ qw(pods services endpoints events replicationcontrollers serviceaccounts configmaps secrets) ],
	'/apis/apps/v1' => [ qw(deployments replicasets daemonsets statefulsets) ],
	'/apis/batch/v1' => [ qw(jobs) ],
	'/apis/discovery.k8s.io/v1' => [ qw(endpointslices) ],
);
my ($streams, @watchers, %buffer, @came) = (IO::Select->new);
sub watch_all {
	for my $group (keys %plurals) {
		for (@{$plurals{$group}}) {
			my $pid = open my $stream, '-|', @curl, '-N', "$api$group/namespaces/demo/$_?watch=true" or die "recorded.pl: curl: $!\n";
			push @watchers, $pid;
			$streams->add($stream);
		}
	}
}
# waits a moment for more; @came is in the order in which it was written
sub receive {
	for my $stream ($streams->can_read(0.1)) {
		sysread($stream, $buffer{$stream}, 1 << 20, length($buffer{$stream} // '')) or $streams->remove($stream);
		push @came, $json->decode($1) while $buffer{$stream} =~ s/^(.*)\n//;
	}
	@came = sort { $a->{object}{metadata}{resourceVersion} <=> $b->{object}{metadata}{resourceVersion} } @came;
}
sub call {
	my ($method, $path, $body) = @_;
	my $form = $method ne 'PATCH' ? 'json' : $path =~ /\/deployments/ ? 'strategic-merge-patch+json' : 'merge-patch+json';
	my @body = $body ? ('-H', "Content-Type: application/$form", '-d', $json->encode($body)) : ();
	system(@curl, '-f', '-o', '/dev/null', '-X', $method, @body, "$api$path") == 0 or print "# failed: $method $path\n";
}

my ($theirs, $ours) = (new_side(), new_side());
# of objects with made-up names, ours are those that were made in the same turn
sub our_path {
	my ($path) = @_;
	for my $kind (grep { /\*$/ } keys %{$theirs->{made}}) {
		my $names = $theirs->{made}{$kind};
		for my $i (0 .. $#$names) { $path =~ s/\/\Q$names->[$i]\E(?=\/|$)/\/$ours->{made}{$kind}[$i]/ }
	}
	return $path;
}

# --- the recorded steps. What came of an object after it was told to go belongs to the step that told it ---
my @steps = @{$json->decode(do { local $/; open my $in, '<', $record or die "recorded.pl: $record: $!\n"; <$in> })};
my %ending;
for my $step (@steps) {
	my @events = @{$step->{events}};
	$step->{events} = [];
	for (@events) {
		my $m = $_->{object}{metadata};
		$ending{$m->{uid}} //= $step if $m->{deletionTimestamp};
		push @{($ending{$m->{uid}} // $step)->{events}}, $_;
	}
}

$| = 1;
my ($n, $failed) = (0, 0);
sub result {
	my ($name, @wrong) = @_;
	$n++;
	$failed++ if @wrong;
	print @wrong ? 'not ok' : 'ok', " $n - $name\n", map { "#   $_\n" } @wrong;
}
call('POST', '/api/v1/namespaces', { metadata => { name => 'demo' } });
watch_all();
for my $step (@steps) {
	my $title = $step->{title};
	my @calls = map { [ $_->{method}, our_path($_->{path}), $_->{body} ] } @{$step->{calls}};
	my @expected = tolerate('recorded', $title, lines_of($theirs, @{$step->{events}}));
	push @expected, 'ConfigMap kube-root-ca.crt made', 'ServiceAccount default made' if $title eq 'namespace settled';
	my $until = time + ($title eq 'namespace deleted' ? 30 : 5);
	my @left;
	call(@$_) for @calls;
	do {
		receive();
		@left = difference(\@expected, [ tolerate('ours', $title, lines_of(copy_of($ours), @came)) ]);
	} while (@left && time < $until);
	push @left, map { "recorded: $_" } disorder($theirs, $title, @{$step->{events}});
	push @left, map { "ours: $_" } disorder($ours, $title, @came);
	lines_of($ours, splice @came);
	result($title, @left);
}
kill 'TERM', @watchers;
result('nothing is tolerated that does not occur', map { "$_->[0], $_->[1]: $_->[2]" } grep { !$_->[5] } @tolerated);
print "1..$n\n";
exit($failed ? 1 : 0);
