// Package testenv runs real servers for tests: Apache Kafka brokers, Java's
// Connect workers, and whatever else a connector speaks to.
//
// A test asks for what it needs and gets a server that answers:
//
//	func TestProduce(t *testing.T) {
//		cluster := testenv.Kafka(t)
//		client := dial(cluster.Bootstrap())
//		...
//	}
//
// # Servers
//
//   - [Kafka] is one broker shared by all tests of a test binary. TESTENV_KAFKA
//     (host:port) names a running one to use in its stead.
//   - [KafkaNodes] and [KafkaWith] start a private cluster whose nodes a test
//     may stop, kill and start again on their data.
//   - [JavaConnect] and [JavaStandalone] start Java's Connect worker, as the
//     peer that ours must live beside.
//   - [GoConnect] starts a worker of ours, in a process of its own that a test
//     may kill, or stop where it stands.
//   - [Registry] is one schema registry, Apicurio's with Confluent's API, shared by
//     all tests of a test binary. TESTENV_REGISTRY (a URL) names a running one to
//     use in its stead.
//   - [Cassandra] is one node of Apache Cassandra 5, shared by all tests of a test
//     binary, which they may kill and start again on its data.
//   - [Mosquitto] is an MQTT broker of a test's own, which it may kill and start again on
//     its data; Debian's package must be installed.
//   - [JavaProgram] runs a Java program once, for what only Java's classes can say.
//   - [Proxy] is a TCP proxy on loopback for tests of a network that fails.
//
// # What the machine must have
//
// Java 17 or later and Maven; for [Registry] a Java 21 or later, if need be beside
// the default one (in /usr/lib/jvm, or at JAVA25_HOME); for [Cassandra] one from 17
// to 23, as the default one (JAVA_HOME counts) or beside it. The jars are fetched once,
// by Maven, into connect-testenv in the user's cache folder ([os.UserCacheDir]); a
// lock there keeps test binaries that run at once from fetching twice. Where Java
// or Maven is missing the test is skipped and says what to install; with
// TESTENV=require in the environment, as continuous integration has it, that is a
// failure.
//
// # Promises
//
// Servers listen on 127.0.0.1 alone, on ports outside the range from which the
// kernel takes ports for outgoing connections, so that a server which is down
// for a moment finds its port free again. Readiness is observed (a line in the
// log, an answer on a port), never assumed after a pause. The end of a failing
// test's log shows the end of the servers' logs.
//
// Only what was started here is ended here. A private server ends with its test;
// a shared one with the test binary, at the latest when its process is gone: on
// Linux the kernel then kills the servers. A package that uses shared servers
// calls [Main] from TestMain to have them ended, and their data removed, in
// order; what a crashed binary left is swept up by the next one.
//
// # Adding a server
//
// One file: a pom in poms, a function that installs it (installJars), writes its
// configuration, and hands a spec (command line, readiness check) to start.
// See standalone.go for the shortest one.
package testenv
