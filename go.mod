module github.com/octavo-go/octavo

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/oklog/run v1.2.0
	go.uber.org/goleak v1.3.0
	golang.org/x/net v0.62.0
	pgregory.net/rapid v1.3.0
)
