// Package endpoint turns strings into listeners and connections: Listen(ctx, "tcp:8080") gives a
// [net.Listener], Dial(ctx, "tcp:example.com:80") a [net.Conn], and nothing else is needed to serve
// or to call, so http.Serve works on any endpoint string.
//
// The strings are those of Twisted's endpoints and keep their meaning. What they may be is open:
// a [Registry] maps a type, the word before the first colon, to a [Transport], and a program adds
// its own.
//
// # Three steps
//
// Parsing, checking and opening are apart. [Parse] gives a [Description], a plain comparable value,
// and touches nothing. [Registry.Server] and [Registry.Client] check the arguments and still open
// nothing: a configuration can be checked without being used. [Server.Listen] and [Client.Dial]
// open.
//
// # Grammar
//
//	description = field *( ":" field )
//	field       = positional / key "=" value
//
// The type is the first positional field. The first unescaped "=" of a field makes it key=value; later
// ones are data. A backslash drops itself and protects the next byte, whichever it is: there are
// no other escapes, and white space is data. A key may be given once. A backslash at the end is an
// error.
//
// An IPv6 address may be written in brackets instead of escaping its colons: where a positional
// field or a value is, as a whole, "[", an IPv6 address (with or without a zone) and "]", its value
// is the address without the brackets. Any other bracket is an ordinary character, as it is in Twisted,
// so that unix:[a] still names the file "[a]". tcp:80:interface=[::1] and tcp:80:interface=\:\:1
// are the same description.
//
// The canonical form, which [Description.String] gives, has the type first, in lower case, and then
// the other fields in the order they were given; it brackets what can be bracketed and escapes
// nothing that needs no escape.
//
// # Transports
//
//	tcp:PORT[:interface=ADDR][:backlog=N]                    listens; PORT 0 means any
//	tcp:HOST:PORT[:timeout=SECONDS][:bindAddress=ADDR]       dials
//	unix:PATH[:mode=OCTAL][:backlog=N][:lockfile=0]          listens; @NAME is abstract (Linux)
//	unix:PATH[:timeout=SECONDS]                              dials
//	mem:NAME                                                 listens, inside this process
//	mem:NAME[:timeout=SECONDS]                               dials it
//
// Their arguments are explained at [TCP], [Unix] and [NewMem].
//
// # Kept addresses
//
// A [Server] of this package remembers the address that was chosen for it. One opened on port 0,
// closed and listened on again takes the same port, so that what was told to others stays true. If
// the port has been taken meanwhile the error names it. A Server has one open listener at a time; a
// second Listen is an address in use ([syscall.EADDRINUSE]).
//
// # Errors
//
// Every error of the package is an [*Error], which says what is wrong with which field at which
// byte of which string. Decisions are made with [errors.Is] on its sentinels, and on the operating
// system's errors that it wraps.
package endpoint
