// Package mqtt reads topics of MQTT servers: MqttSource, and the same under the keys of Confluent's and of Lenses' connectors.
//
// Each task is one MQTT client with one session, in MQTT 5 or 3.1.1. A message of QoS 1 or 2 is acknowledged when Kafka has its record, in the
// order of receipt; until then the server keeps it, over restarts of either side, if the session is persistent. So every message gets to Kafka
// at least once.
//
// Duplicates come where the protocol leaves no choice: when the process ends between Kafka's acknowledgement and the server's receipt of ours, and
// with QoS 1 when a connection breaks with acknowledgements under way. A message that comes again while its record is on its way, or (QoS 2) while
// the server has not let go of it, is recognised by its packet id and content, and makes no second record.
//
// Packets are encoded and decoded by the paho libraries behind one seam (dialect); what a client does with them is the package's own. One
// goroutine reads a connection and one writes to it; both end with the task, which waits for them.
package mqtt
