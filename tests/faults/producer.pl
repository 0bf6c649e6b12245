#!/usr/bin/perl
# A producer of plain CloudEvents in another language, with no NATS library: it speaks the text protocol over a socket.
#   producer.pl PORT BOARD NAME < lines of: mode <tab> id <tab> entity <tab> type <tab> JSON data (text is UTF-8)
# mode: structured, binary (attributes in headers), plain (structured, with no headers at all); and +dedup, to give the
# server an id by which it drops what it has seen. Prints "id position" for each answer, in the lines' order.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $board, $name) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 10) or die "no server: $!";
binmode $_ for $socket, *STDIN, *STDOUT;

# One token of a subject: bytes other than A-Z a-z 0-9 _ - as %XX; nothing is _, and the text _ is %5F.
sub token {
    my ($text) = @_;
    return "_" if $text eq "";
    return "%5F" if $text eq "_";
    $text =~ s/([^A-Za-z0-9_-])/sprintf("%%%02X", ord $1)/ge;
    return $text;
}

sub header { my ($text) = @_; $text =~ s/([^!-\$&-~])/sprintf("%%%02X", ord $1)/ge; return $text }

sub json { my ($text) = @_; $text =~ s/(["\\\x00-\x1f])/sprintf("\\u%04x", ord $1)/ge; return "\"$text\"" }

sub hear {
    my $line = <$socket>;
    defined $line or die "the server is gone";
    die $line if $line =~ /^-ERR/;
    print $socket "PONG\r\n" if $line =~ /^PING/;
    return $line;
}

hear();    # INFO
print $socket "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true,\"lang\":\"perl\",\"version\":\"1\"}\r\n";
my $inbox = "_INBOX.perl$$" . int(rand(1e9));
print $socket "SUB $inbox.* 1\r\n";

my @ids;
while (my $line = <STDIN>) {
    chomp $line;
    my ($mode, $id, $entity, $type, $data) = split /\t/, $line;
    my $subject = join ".", "wf", token($board), token($entity), token($name), map { token($_) } split /\./, $type;
    my $head = "NATS/1.0\r\n";
    $head .= "Nats-Msg-Id: $id\r\n" if $mode =~ /\+dedup/;
    my $body = $data;
    if ($mode =~ /^binary/) {
        $head .= "ce-specversion: 1.0\r\nce-id: $id\r\nce-source: /perl\r\nce-type: $type\r\n";
        $head .= "ce-subject: " . header($entity) . "\r\nce-time: 2026-01-02T03:04:05Z\r\ncontent-type: application/json\r\n";
    } else {
        $body = "{\"specversion\":\"1.0\",\"id\":" . json($id) . ",\"source\":\"/perl\",\"type\":" . json($type)
            . ",\"subject\":" . json($entity) . ",\"time\":\"2026-01-02T03:04:05Z\",\"data\":$data}";
        $head .= "Content-Type: application/cloudevents+json\r\n";
    }
    $head .= "\r\n";
    my $reply = "$inbox." . @ids;
    if ($mode =~ /^plain/) {
        print $socket "PUB $subject $reply ", length $body, "\r\n$body\r\n";
    } else {
        print $socket "HPUB $subject $reply ", length $head, " ", length($head) + length $body, "\r\n$head$body\r\n";
    }
    push @ids, $id;
}
$socket->flush;

my %position;
while (keys %position < @ids) {
    my $line = hear();
    next unless $line =~ /^H?MSG \S+\.(\d+) 1 (?:\d+ )?(\d+)\r\n/;
    my $number = $1;
    read($socket, my $answer, $2 + 2);
    $answer =~ /"seq":(\d+)/ or die "not taken: $answer";
    $position{$number} = $1;
}
print "$ids[$_] $position{$_}\n" for 0 .. $#ids;
