// Package assign divides a cluster's connectors and tasks among its workers, as
// the leader of a group does. Eager is for version 0 of the group protocol,
// Cooperative for the versions after it (KIP-415). Both are pure: no clock, no
// I/O, the same answer for the same question.
//
// They decide as Java's EagerAssignor and IncrementalCooperativeAssignor of Kafka
// 4.3 do, so that leadership may pass between workers of both kinds. Where Java
// leaves the order to a hash table (workers, new tasks) they go by sorted order.
package assign
