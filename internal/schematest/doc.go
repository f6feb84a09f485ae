// Package schematest reads Connect schemas and data from their JSON form, for
// tests of converters.
package schematest
