//go:build integration

package main

// killRounds is how often TestKilledAtAnyMoment kills.
const killRounds = 200
