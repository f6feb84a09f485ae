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
// Ratios of one run count: the times themselves vary with the machine and with who
// else uses it. At most 1.25 is wanted of both; more rounds (-benchtime 20x) make
// the medians steadier. The goroutines of the bare client bear the pprof label
// side=bare, so -cpuprofile shows either side:
//
//	go tool pprof -top -tagignore bare bench.test cpu.prof
//	go tool pprof -top -tagfocus bare bench.test cpu.prof
//
// The garbage collector has no label. It is much of the difference if pipelines
// allocate, or store pointers, more than the client does.
//
// BenchmarkIdle says what a paused connector costs while it does nothing.
package bench
