// Package kcql reads KCQL, the language in which Lenses' connectors say what goes where:
//
//	INSERT INTO target SELECT * FROM source PARTITIONBY a, b STOREAS `AVRO` PROPERTIES('k'=v)
//
// It knows the form of clauses and not their meaning: connectors take those that they support, and refuse the others.
package kcql
