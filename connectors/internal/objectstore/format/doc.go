// Package format writes the files of storage sinks: Parquet, Avro, JSON, CSV and raw bytes. A format knows nothing of
// where its bytes go, of names, or of when a file ends; the engine in the package above does.
//
//	f, err := format.JSON(format.JSONOptions{Compression: format.Compression{Type: format.Gzip, Level: format.DefaultLevel}})
//	w, err := f.NewWriter(out, datum)
//	err = w.Write(datum)
//	err = w.Close()
//
// JSON, CSV and bytes are in here; formats that link a library are packages of their own below: parquet and avro.
package format
