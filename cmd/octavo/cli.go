package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// A commandLine is what can be typed.
type commandLine struct {
	Serve   serveCommand   `cmd:"" help:"Run a node: a Tub with its listeners. Works without flags."`
	Call    callCommand    `cmd:"" help:"Call a method of an object and print its result as JSON."`
	Tree    treeCommand    `cmd:"" help:"Draw the service tree of a running node."`
	Doctor  doctorCommand  `cmd:"" help:"Try a FURL, one line a hint."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

const description = `Octavo runs and calls remote objects, on the wire protocol of Foolscap.

A FURL names an object and is a secret: whoever has it may use the object. Where one is wanted, ` +
	`@FILE reads it from a file and - from standard input, which keeps it out of the shell's history.

Exit status: 0 done, or stopped cleanly; 1 failed; 2 wrong usage; 3 failed to start; 4 stopped by force.`

// run is the whole command. It returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	e := &env{ctx: ctx, in: in, out: out, err: errs}
	err := e.run(args)
	if err != nil {
		fmt.Fprintln(errs, "octavo: "+e.line(err.Error()))
	}
	return statusOf(err)
}

func (e *env) run(args []string) error {
	// kong passes what it reads through JSON, which would put another character
	// in place of such bytes.
	for i, arg := range args {
		if !utf8.ValidString(arg) {
			return usage(`word %d of the command line is no UTF-8 text (to call with bytes, write {"$bytes":"BASE64"})`, i+1)
		}
	}
	helped := false
	parser, err := kong.New(new(commandLine),
		kong.Name("octavo"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(printHelp),
		kong.Writers(e.out, e.err),
		// Parse goes on after --help has been printed; nothing of what it
		// finds then counts.
		kong.Exit(func(int) { helped = true }),
	)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return nil
	case err != nil:
		return usage("%s (octavo --help says what there is)", hideFURLs(err.Error(), args))
	}
	return parsed.Run(e)
}

// printHelp is kong's, but puts the flags of call where they have to stand.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	var help bytes.Buffer
	out := ctx.Stdout
	ctx.Stdout = &help
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	const call, flags = "octavo call", " [flags]"
	usage, rest, _ := strings.Cut(help.String(), "\n")
	if strings.Contains(usage, call) {
		usage = strings.Replace(strings.TrimSuffix(usage, flags), call, call+flags, 1)
	}
	_, err = io.WriteString(out, usage+"\n"+rest)
	return err
}

// hideFURLs takes the arguments that hold FURLs out of a message about
// the command line, names with spaces in them included.
func hideFURLs(message string, args []string) string {
	for _, arg := range args {
		if i := strings.Index(arg, "pb://"); i >= 0 {
			message = strings.ReplaceAll(message, arg, arg[:i]+"pb://…")
		}
	}
	return message
}
