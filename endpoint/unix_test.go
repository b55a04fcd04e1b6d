package endpoint_test

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/octavo-go/octavo/endpoint"
)

// socket returns a path in an empty directory and the endpoint string for it.
func socket(t *testing.T) (path, desc string) {
	path = filepath.Join(t.TempDir(), "x.sock")
	return path, endpoint.New("unix", path).String()
}

// files lists the directory of path.
func files(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func refused(t *testing.T, desc, because string) {
	t.Helper()
	l, err := endpoint.Listen(t.Context(), desc)
	if err == nil {
		l.Close()
	}
	var e *endpoint.Error
	if !errors.As(err, &e) || !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), because) {
		t.Errorf("Listen(%q): %v, want an address in use, because %s", desc, err, because)
	}
}

func TestASocketHasItsModeWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o077, 0o777} {
		for option, want := range map[string]fs.FileMode{"": 0o600, ":mode=666": 0o666, ":mode=0": 0, ":mode=777": 0o777} {
			path, desc := socket(t)
			old := syscall.Umask(umask)
			l, err := endpoint.Listen(t.Context(), desc+option)
			syscall.Umask(old)
			if err != nil {
				t.Fatalf("umask %o %s: %v", umask, option, err)
			}
			file, err := os.Lstat(path)
			if err != nil || file.Mode() != fs.ModeSocket|want {
				t.Errorf("umask %o %s: %v, %v, want %v", umask, option, file.Mode(), err, want)
			}
			if lock, err := os.Lstat(path + ".lock"); err != nil || lock.Mode().Perm()&0o077 != 0 {
				t.Errorf("lock: %v, %v", lock.Mode(), err)
			}
			l.Close()
		}
	}
}

func TestNothingIsLeftAfterClose(t *testing.T) {
	for _, option := range []string{"", ":lockfile=0"} {
		path, desc := socket(t)
		srv := server(t, desc+option)
		for range 20 {
			l := listen(t, srv)
			dial(t, desc)
			if l.Addr().String() != path || l.Addr().Network() != "unix" {
				t.Errorf("address %v", l.Addr())
			}
			l.Close()
			if left := files(t, path); left != "" {
				t.Fatalf("%s left", left)
			}
		}
	}
}

func TestALiveSocketIsLeftAlone(t *testing.T) {
	t.Run("of this transport", func(t *testing.T) {
		path, desc := socket(t)
		l := listen(t, server(t, desc))
		refused(t, desc, "lock")
		refused(t, desc+":lockfile=0", "listens")
		dial(t, desc)
		l.Close()
		if left := files(t, path); left != "" {
			t.Errorf("%s left", left)
		}
	})
	t.Run("of another program", func(t *testing.T) {
		path, desc := socket(t)
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		refused(t, desc, "listens")
		dial(t, desc)
		if got := files(t, path); got != "x.sock" {
			t.Errorf("%s", got)
		}
	})
	t.Run("for datagrams", func(t *testing.T) {
		path, desc := socket(t)
		l, err := net.ListenPacket("unixgram", path)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		refused(t, desc, "may be in use")
		if got := files(t, path); got != "x.sock" {
			t.Errorf("%s", got)
		}
	})
}

// stale leaves a socket behind that nobody listens on.
func stale(t *testing.T, path string) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestAStaleSocketIsReplacedUnderTheLockOnly(t *testing.T) {
	path, desc := socket(t)
	stale(t, path)
	refused(t, desc+":lockfile=0", "nobody listens")
	l := listen(t, server(t, desc))
	dial(t, desc)
	l.Close()
	if left := files(t, path); left != "" {
		t.Errorf("%s left", left)
	}
}

func TestASocketOfAKilledProcessIsReplaced(t *testing.T) {
	path, desc := socket(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestASocketOfAKilledProcessIsReplaced$")
	if to := os.Getenv("OCTAVO_TEST_LISTEN"); to != "" {
		listen(t, server(t, to))
		os.Stdout.WriteString("listening\n")
		_, err := io.Copy(io.Discard, os.Stdin) // until killed
		t.Fatal("not killed: ", err)
	}
	cmd.Env = append(os.Environ(), "OCTAVO_TEST_LISTEN="+desc)
	in, _ := cmd.StdinPipe()
	defer in.Close()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "listening\n" {
		t.Fatalf("%q, %v", line, err)
	}
	refused(t, desc, "lock")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it ended by itself")
	}
	if left := files(t, path); left != "x.sock x.sock.lock" {
		t.Fatalf("%s left", left)
	}
	l := listen(t, server(t, desc))
	dial(t, desc)
	l.Close()
	if left := files(t, path); left != "" {
		t.Errorf("%s left", left)
	}
}

func TestWhatIsNotASocketIsNeverRemoved(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"file":      func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) },
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"link":      func(p string) error { return os.Symlink("elsewhere", p) },
		"fifo":      func(p string) error { return syscall.Mkfifo(p, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			path, desc := socket(t)
			if err := create(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			refused(t, desc, "not a socket")
			if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
				t.Errorf("%v, %v", after, err)
			}
			if got := files(t, path); got != "x.sock" {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestCloseLeavesWhatOthersHavePutInItsPlace(t *testing.T) {
	path, desc := socket(t)
	l := listen(t, server(t, desc))
	os.Remove(path)
	os.Remove(path + ".lock")
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := os.WriteFile(path+".lock", []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := files(t, path); got != "x.sock x.sock.lock" {
		t.Errorf("%s", got)
	}
}

func TestALockFileOfAnotherIsLockedAndKept(t *testing.T) {
	path, desc := socket(t)
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l := listen(t, server(t, desc))
	refused(t, desc, "lock")
	l.Close()
	if got := files(t, path); got != "x.sock.lock" {
		t.Errorf("%s", got)
	}
}

func TestALockThatCannotBeOneIsAnError(t *testing.T) {
	path, desc := socket(t)
	if err := os.Symlink("1234", path+".lock"); err != nil { // as Twisted's
		t.Fatal(err)
	}
	refused(t, desc, "Twisted")
	os.Remove(path + ".lock")
	if err := syscall.Mkfifo(path+".lock", 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, desc, "no regular file")
	if got := files(t, path); got != "x.sock.lock" {
		t.Errorf("%s", got)
	}
}

func TestOfManyThatListenAtOnceOneDoes(t *testing.T) {
	path, desc := socket(t)
	for range 50 {
		stale(t, path)
		var wg sync.WaitGroup
		open := make(chan net.Listener, 8)
		for range cap(open) {
			wg.Go(func() {
				l, err := endpoint.Listen(t.Context(), desc)
				switch {
				case err == nil:
					open <- l
				case !errors.Is(err, syscall.EADDRINUSE):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(open) != 1 {
			t.Fatalf("%d listen", len(open))
		}
		dial(t, desc).Close()
		(<-open).Close()
		if left := files(t, path); left != "" {
			t.Fatalf("%s left", left)
		}
	}
}

func TestARelativePathIsRemovedFromWhereItWasMade(t *testing.T) {
	t.Chdir(t.TempDir())
	l := listen(t, server(t, "unix:x.sock"))
	dial(t, "unix:x.sock")
	made, _ := filepath.Abs("x.sock")
	t.Chdir(t.TempDir())
	l.Close()
	if left := files(t, made); left != "" {
		t.Errorf("%s left", left)
	}
}

func TestAMissingDirectoryIsExplained(t *testing.T) {
	desc := endpoint.New("unix", filepath.Join(t.TempDir(), "no", "x.sock")).String()
	for _, option := range []string{"", ":lockfile=0"} {
		_, err := endpoint.Listen(t.Context(), desc+option)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "create it") {
			t.Error(err)
		}
	}
}

func TestTheLongestPathIsServedAndDialled(t *testing.T) {
	dir := "o" // a relative path, since that of a test's directory may be longer than the limit
	t.Chdir(t.TempDir())
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	long := func(n int) string {
		return endpoint.New("unix", dir+"/"+strings.Repeat("x", n-len(dir)-1)).String()
	}
	limit := 0
	for n := 90; n < 120; n++ {
		if _, err := endpoint.Default().Server(long(n)); err == nil {
			limit = n
		}
	}
	listen(t, server(t, long(limit)))
	dial(t, long(limit))
}

func TestALockOfAnotherUserIsExplained(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read every lock")
	}
	path, desc := socket(t)
	if err := os.WriteFile(path+".lock", nil, 0); err != nil {
		t.Fatal(err)
	}
	_, err := endpoint.Listen(t.Context(), desc)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "another user") {
		t.Error(err)
	}
}

func TestADirectoryThatMayNotBeWrittenIsExplained(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	path, desc := socket(t)
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	for _, option := range []string{"", ":lockfile=0"} {
		_, err := endpoint.Listen(t.Context(), desc+option)
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "choose another directory") {
			t.Error(err)
		}
	}
}
