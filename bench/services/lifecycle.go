package main

// run: children with a body each, started and stopped.
// hooks: children that only have something done at start and at stop.
func init() {
	dskitRun := lifecycle("dskit", peer, openDskit)
	dskitHooks := lifecycle("dskit", peer, openDskitIdle)
	dskitRun.slow, dskitHooks.slow = 50_000, 50_000 // its Manager is quadratic

	register(measure{
		name: "run",
		base: "raw-each",
		subjects: []subject{
			lifecycle("raw-shared", raw, openRawShared),
			lifecycle("raw-each", raw, openRawEach),
			lifecycle("raw-named", raw, openRawNamed),
			lifecycle("octavo", ours, openOctavo),
			lifecycle("octavo-side", ours, openOctavoSide),
			lifecycle("suture", peer, openSuture),
			lifecycle("oklog", peer, openOklog),
			lifecycle("errgroup", peer, openErrgroup),
			lifecycle("fx", peer, openFx),
			dskitRun,
		},
	})
	register(measure{
		name: "hooks",
		base: "raw-calls",
		subjects: []subject{
			lifecycle("raw-calls", raw, openRawCalls),
			lifecycle("octavo", ours, openOctavoHooks),
			lifecycle("octavo-side", ours, openOctavoHooksSide),
			lifecycle("suture", peer, openSuture), // it has no child without a goroutine
			lifecycle("fx", peer, openFxHooks),
			dskitHooks,
		},
	})
}
