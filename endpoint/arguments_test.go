package endpoint_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

const (
	asServer = "server"
	asClient = "client"
)

func check(side, s string) error {
	if side == asServer {
		_, err := endpoint.Default().Server(s)
		return err
	}
	_, err := endpoint.Default().Client(s)
	return err
}

func TestGoodArgumentsAreTakenAndNothingIsOpened(t *testing.T) {
	for _, c := range []struct{ side, s string }{
		{asServer, "tcp:0"},
		{asServer, "TCP:65535"},
		{asServer, "tcp:port=80"},
		{asServer, "tcp:80:"},
		{asServer, "tcp:80:interface="},
		{asServer, "tcp:80:127.0.0.1:50"},
		{asServer, "tcp:80:[::1]:50"},
		{asServer, `tcp:80:interface=\:\:1`},
		{asServer, `tcp:80:interface=\[\:\:1\]`},
		{asServer, "tcp:interface=10.0.0.1:backlog=5:port=80"},
		{asServer, "tcp:80:interface=[fe80::1%eth0]"},
		{asServer, "unix:/run/x"},
		{asServer, "unix:x:660:50:0"},
		{asServer, "unix:address=x:mode=0660:backlog=50:lockfile=1"},
		{asServer, "mem:x"},
		{asServer, "mem:"},
		{asServer, "mem:name=x"},

		{asClient, "tcp:host:80"},
		{asClient, "tcp:host=h:port=80"},
		{asClient, "tcp:h:port=80"},
		{asClient, "tcp:host=h:80"},
		{asClient, "tcp:port=80:h"},
		{asClient, "tcp:[::1]:80:timeout=1.5:bindAddress=[::1]"},
		{asClient, "tcp:h:80:timeout=5:bindAddress=127.0.0.1"},
		{asClient, "tcp:my_host.example:80"},
		{asClient, "unix:/run/x"},
		{asClient, "unix:path=/run/x:timeout=5"},
		{asClient, "mem:x:timeout=5"},
	} {
		if err := check(c.side, c.s); err != nil {
			t.Errorf("%s %q: %v", c.side, c.s, err)
		}
	}
}

func TestABadArgumentIsOneErrorThatNamesIt(t *testing.T) {
	long := "/" + strings.Repeat("x", 200)
	for _, c := range []struct {
		side, s, field string
		pos            int
	}{
		{asServer, "tcp", "port", 3},
		{asServer, "tcp:", "port", 4},
		{asServer, "tcp:interface=127.0.0.1", "port", 23},
		{asServer, "tcp:http", "port", 4},
		{asServer, "tcp:-1", "port", 4},
		{asServer, "tcp:65536", "port", 4},
		{asServer, "tcp:99999999999999999999999", "port", 4},
		{asServer, "tcp:8_0", "port", 4},
		{asServer, "tcp:0x50", "port", 4},
		{asServer, "tcp:80:interface=localhost", "interface", 7},
		{asServer, "tcp:80:interface=127.1", "interface", 7},
		{asServer, "tcp:80:interface=a:b:c:d", "argument 4", 23},
		{asServer, "tcp:80:interface=::1", "interface", 18},
		{asServer, "tcp:80:127.0.0.1:interface=127.0.0.1", "interface", 17},
		{asServer, "tcp:80:port=80", "port", 7},
		{asServer, "tcp:80:backlog=0", "backlog", 7},
		{asServer, "tcp:80:backlog=-5", "backlog", 7},
		{asServer, "tcp:80:backlog=many", "backlog", 7},
		{asServer, "tcp:80:backlog=", "backlog", 7},
		{asServer, "tcp:80:Interface=127.0.0.1", "Interface", 7},
		{asServer, "tcp:prot=80", "prot", 4}, // and not: port is missing
		{asServer, "tcp:80:=x", `""`, 7},
		{asServer, "tcp:80:timeout=5", "timeout", 7},
		{asServer, "tcp:80:127.0.0.1:50:x", "argument 4", 20},

		{asClient, "tcp", "host", 3},
		{asClient, "tcp:host", "port", 8},
		{asClient, "tcp:port=80", "host", 11},
		{asClient, "tcp::80", "host", 4},
		{asClient, "tcp:h:0", "port", 6},
		{asClient, "tcp:h:65536", "port", 6},
		{asClient, "tcp:h:80:90", "argument 3", 9},
		{asClient, "tcp:host=h:80:90", "argument 2", 14},
		{asClient, "tcp:h:80:port=80", "port", 9},
		{asClient, "tcp:h:80:timeout=0", "timeout", 9},
		{asClient, "tcp:h:80:timeout=-1", "timeout", 9},
		{asClient, "tcp:h:80:timeout=30s", "timeout", 9},
		{asClient, "tcp:h:80:timeout=inf", "timeout", 9},
		{asClient, "tcp:h:80:timeout=nan", "timeout", 9},
		{asClient, "tcp:h:80:timeout=1e3", "timeout", 9},
		{asClient, "tcp:h:80:timeout=.", "timeout", 9},
		{asClient, "tcp:h:80:timeout=99999999999999999999", "timeout", 9},
		{asClient, "tcp:h:80:timeout=0.0000000001", "timeout", 9},
		{asClient, "tcp:h:80:bindAddress=localhost", "bindAddress", 9},
		{asClient, "tcp:h:80:bindaddress=127.0.0.1", "bindaddress", 9},
		{asClient, "tcp:h:80:interface=127.0.0.1", "interface", 9},
		{asClient, "tcp:a b:80", "host", 4},
		{asClient, "tcp:a/b:80", "host", 4},
		{asClient, "tcp:bücher.example:80", "host", 4},
		{asClient, "tcp:::1:80", "argument 3", 6},

		{asServer, "unix", "address", 4},
		{asServer, "unix:", "address", 5},
		{asServer, "unix:x:mode=888", "mode", 7},
		{asServer, "unix:x:mode=1777", "mode", 7},
		{asServer, "unix:x:mode=rw", "mode", 7},
		{asServer, "unix:x:mode=", "mode", 7},
		{asServer, "unix:x:lockfile=yes", "lockfile", 7},
		{asServer, "unix:x:lockfile=2", "lockfile", 7},
		{asServer, "unix:x:backlog=0", "backlog", 7},
		{asServer, "unix:x:path=y", "path", 7},
		{asServer, "unix:@", "address", 5},
		{asServer, "unix:\x00name", "address", 5},
		{asServer, "unix:" + long, "address", 5},
		{asServer, "unix:a:b", "mode", 7},
		{asClient, "unix", "path", 4},
		{asClient, "unix:" + long, "path", 5},
		{asClient, "unix:x:y", "argument 2", 7},
		{asClient, "unix:x:lockfile=1", "lockfile", 7},
		{asClient, "unix:x:timeout=never", "timeout", 7},

		{asServer, "mem", "name", 3},
		{asServer, "mem:x:y", "argument 2", 6},
		{asServer, "mem:x:backlog=5", "backlog", 6},
		{asClient, "mem", "name", 3},
		{asClient, "mem:", "name", 4},
	} {
		err := check(c.side, c.s)
		var e *endpoint.Error
		if !errors.As(err, &e) || !errors.Is(err, endpoint.ErrArgument) {
			t.Errorf("%s %q: %v, want a bad argument", c.side, c.s, err)
			continue
		}
		if e.Field != c.field || e.Pos != c.pos && e.Description == c.s || !strings.Contains(err.Error(), c.field+": ") || e.Reason == "" {
			t.Errorf("%s %q: field %q at %d, want %q at %d: %v", c.side, c.s, e.Field, e.Pos, c.field, c.pos, err)
		}
	}
}

func TestAnErrorSaysWhatFailedOnWhatAndWhatToDo(t *testing.T) {
	for _, c := range []struct{ side, s, text string }{
		{asServer, "tcp:99999", `endpoint "tcp:99999": port: 99999 is out of range: give a number from 0 to 65535 (at byte 4)`},
		{asServer, "foo:80", `endpoint "foo:80": type: "foo" is unknown: use one of mem, tcp, unix (at byte 0)`},
		{asServer, "tcp:80:bklog=5", `endpoint "tcp:80:bklog=5": bklog: unknown option: the positional arguments are port, interface, backlog (at byte 7)`},
		{asClient, "tcp:h:80:x=5", `endpoint "tcp:h:80:x=5": x: unknown option: the positional arguments are host, port; the options are timeout, bindAddress (at byte 9)`},
		{asClient, "tcp:h", `endpoint "tcp:h": port: missing: give a number from 1 to 65535 (at byte 5)`},
	} {
		if err := check(c.side, c.s); err == nil || err.Error() != c.text {
			t.Errorf("%s %q:\n got %v\nwant %s", c.side, c.s, err, c.text)
		}
	}
	if err := check(asServer, "x:"+strings.Repeat("y", 10000)); len(err.Error()) > 500 {
		t.Errorf("the text has %d bytes", len(err.Error()))
	}
}
