// Package cassandra has the sink CassandraSink, which writes records to tables of Apache Cassandra and databases that speak its protocol.
// It stands for DataStax' connector and takes its keys.
//
// Put only enqueues. Each partition of a table that has records waiting is a lane: it has one request in flight at most, which keeps the order of
// updates of a row, and what waits in it meanwhile goes together, as an unlogged batch. Lanes are served side by side. A record's offset is
// committed when all its writes, and those of the records before it, are acknowledged.
package cassandra
