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
//
// Three are about clusters. Run each alone, on a machine that has nothing else to
// do, once:
//
//	go test -tags integration -run '^$' -bench Cluster -benchtime 1x -timeout 30m ./internal/bench/
//	go test -tags integration -run '^$' -bench Reads -benchtime 1x ./internal/bench/
//	go test -tags integration -run '^$' -bench Start -benchtime 5x -timeout 30m ./internal/bench/
//
// BenchmarkCluster creates 100, 300 and 1,000 connectors of ten idle tasks, over
// REST, one after the other, on three workers in this process. settle-s is the time
// from the first request until every worker knows that all tasks run, create-s until
// the last answer; cpu-s what the process used. These grow with the number of
// connectors alone. heap-B/task and goroutines/task are what an idle task costs, in
// all three workers together; rounds/connector how often the group was rebalanced.
//
// BenchmarkReads asks such a cluster of 10,000 tasks a thousand questions a second.
// The latencies at the end are those of all if no queue grows. cpu-us/read holds the
// client, which is in the same process.
//
// BenchmarkStart starts this project's command and Java's worker in turn. The time
// of a start is until REST answers, looked at every 20 ms; memory is what the
// process has resident after ten idle seconds.
//
// How long it takes until the tasks of a worker that was killed run elsewhere, tests
// say: TestFailoverTakesASessionAndAHeartbeat of package kafka, in a bubble, and
// TestProcessesAreKilledAtAnyMoment of package integration, on real processes.
package bench
