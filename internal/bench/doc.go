// Package bench measures whole pipelines on a real broker. It has nothing but
// benchmarks, with the build tag integration:
//
//	go test -tags integration -run '^$' -bench . -benchtime 5x ./internal/bench/
//
// BenchmarkSource and BenchmarkSink compare a pipeline with a bare client that
// moves the same records with the same settings in the same process, turn by
// turn. What is measured is the CPU time of the process, user and system, per
// record, as the median of the rounds: cpu-ns/record is the pipeline's,
// bare-cpu-ns/record the client's, x-bare the quotient. The source makes its
// records up as it goes, which is part of its figure.
//
// BenchmarkIdle says what a paused connector costs while it does nothing.
package bench
