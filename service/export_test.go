package service

// Transitions is the state table.
var Transitions = transitions[:]
