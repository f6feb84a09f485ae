// Package javatls makes TLS configurations of Java's ssl.* keys, for clients (of
// Kafka, of other workers' REST interfaces, of schema registries) and for REST
// servers. It reads key and trust stores in JKS, PKCS12 and PEM.
package javatls
