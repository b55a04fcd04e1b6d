// Command services measures package service side by side with its peers, and prints one table:
//
//	go run .                                       # all of it, a few minutes
//	go run . -short                                # a smoke test: small trees, one round
//	go run . -n 10000 -rounds 7 -match '^run/'     # a part
//	go run . -one run/100000/octavo/time -cpuprofile cpu.out
//
// Every figure is from a process of its own, which measures one subject once and ends. Those of a
// round follow each other, A B C ..., and the rounds too, so that a machine that becomes slower
// becomes so for all. The table shows medians of the rounds. See ../README.md for how to read it.
package main
