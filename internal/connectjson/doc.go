// Package connectjson writes and reads the JSON that Java's workers keep in
// their internal topics: what Jackson prints for the schemaless JsonConverter,
// with maps in the iteration order of java.util.HashMap.
//
// Keys of the offsets topic are compared as bytes by Java, so the order and the
// escapes matter; encoding/json differs in both.
package connectjson
