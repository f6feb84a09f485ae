//go:build !integration

package main

// killRounds is how often TestKilledAtAnyMoment kills; 200 times with the build
// tag integration.
const killRounds = 8
