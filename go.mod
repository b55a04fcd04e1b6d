module github.com/octavo-go/octavo

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/oklog/run v1.2.0 // indirect
	go.uber.org/goleak v1.3.0 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	pgregory.net/rapid v1.3.0 // indirect
)
