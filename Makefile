# The words a contributor types. `make` alone lists them.

# Nothing checked here needs a version stamp, and in a checkout owned by someone else git gives none.
export GOFLAGS := $(GOFLAGS) -buildvcs=false

FUZZTIME ?= 30s
PARTS := peer format vet staticcheck build test

.DEFAULT_GOAL := help
.PHONY: help check $(PARTS) lint fuzz

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

check: ## Everything that must hold before a change goes in: the parts below, timed
	@MAKE='$(MAKE)' scripts/parts.sh $(PARTS)

peer: ## See that Python Foolscap is there to talk to, or install it
	@scripts/peer.sh

format: ## Name the files that gofmt would change
	@scripts/format.sh

vet: ## go vet, for macOS too
	go vet ./...
	GOOS=darwin go vet ./...

staticcheck: ## staticcheck, at the version in tools/go.mod
	go tool -modfile=tools/go.mod staticcheck ./...

build: ## Compile every package, for macOS too
	go build ./...
	GOOS=darwin go build ./...

test: ## Every test under the race detector; interop tests fail without their peer
	OCTAVO_REQUIRE_INTEROP=1 go test -race -count=1 ./...

lint: ## golangci-lint, at the version in tools/golangci/go.mod; no part of check
	go tool -modfile=tools/golangci/go.mod golangci-lint run ./...

fuzz: ## Run each fuzz target for FUZZTIME (30s), one after the other
	@scripts/fuzz.sh $(FUZZTIME)
