package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := compare(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("services", flag.ContinueOnError)
	sizes := flags.String("n", "1,100,10000,100000", "numbers of children")
	rounds := flags.Int("rounds", 3, "how often each figure is taken")
	short := flags.Bool("short", false, "see that all works: -n 1,100,1000 -rounds 1 -work 500")
	work := flags.Int("work", 5000, "how many children or operations a figure is of, at least")
	match := flags.String("match", "", "only rows measure/n/subject that match this regular expression")
	one := flags.String("one", "", "take one figure, measure/n/subject/{time,memory}, and print it as JSON")
	profile := flags.String("cpuprofile", "", "with -one, write a CPU profile to this file")
	flags.SetOutput(progress)
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *rounds < 1 || *work < 1 {
		return fmt.Errorf("-rounds and -work have to be at least 1")
	}
	if *one != "" {
		return printFigure(out, *one, *work, *profile)
	}
	if *short {
		*sizes, *rounds, *work = "1,100,1000", 1, 500
	}
	ns, err := parseSizes(*sizes)
	if err != nil {
		return err
	}
	filter, err := regexp.Compile(*match)
	if err != nil {
		return err
	}
	rows := plan(measures, ns, filter)
	if len(rows) == 0 {
		return fmt.Errorf("no row matches")
	}
	if err := takeAll(ctx, rows, *rounds, *work, progress); err != nil {
		return err
	}
	return printTable(out, rows)
}

func parseSizes(list string) (ns []int, err error) {
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-n %s: %q is not a number of children", list, field)
		}
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return slices.Compact(ns), nil
}

// printFigure is what the processes do that a run starts.
func printFigure(out io.Writer, id string, work int, profile string) error {
	take, err := find(measures, id, work)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	s, err := take()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(s)
}
