// Package jsonvalue reads JSON texts as schemaless data, by Jackson's rules: what transforms parse, and what connectors fetch.
package jsonvalue
