// Package file reads lines of a text file into Kafka and writes records of Kafka as lines of a text file: the twins of Kafka's
// FileStreamSource and FileStreamSink, with their keys, their offsets and their task sets, so that a connector may move between a Java
// and a Go worker.
//
// # The source
//
// Each line becomes a record without a key whose value is the line as a STRING. A line ends with \n, \r\n or \r, which is not part of
// the value. A last line without its end waits until the end is there; so does a \r at the very end, for it may be half of \r\n.
// Text is UTF-8; bytes that are not become U+FFFD.
//
// The source partition is {"filename": the key file as configured}, the source offset {"position": the byte behind the line}.
//
// Positions are bytes. Java's task resumes by skipping bytes too, but counts the characters that it decoded (UTF-16 units), so its
// positions are too small in files that are not plain ASCII. A Java worker therefore always goes on right where this source stopped; this
// source goes on right where Java stopped if the file is ASCII up to there, and earlier if not: lines repeat, none is lost. A position
// that is not at the start of a line is moved back to it, so that no piece of a line is ever taken for a line.
//
// The file is looked at once a second when it has no more lines, as in Java. Beyond Java:
//
//   - A file that is not there is waited for, also after it was deleted.
//   - A file that was replaced (renamed by log rotation, say) is read to its end first, until it has been quiet for a second; then comes
//     the new one, from its start. In Java the old file is read for ever.
//   - A file that became shorter, or whose bytes before the position changed while it was quiet, is read again from its start. In Java
//     nothing more comes until it is longer than it was.
//   - What is left over without a line end when a file was replaced or cut off becomes a line.
//
// What happens to the file while no task runs can only be told by its length, as the source offset holds nothing but a position: a
// shorter file is read from the start, a replacement that is longer already is taken for the old file.
//
// Memory follows the longest line and shrinks again after it. A line of more than 256 MiB fails the task.
//
// # The sink
//
// Each record becomes one line, its value's text as in Java: null, for one, is "null". Line ends within a value are written as they are.
// Lines are appended. Offsets are committed only after the lines are on disk (fsync), so delivery is at least once: what was written but
// not committed before a crash is written again. A crash or a full disk may leave a piece of a line; the next task ends it with
// \n before its own first line, so that whole lines stay whole. A file that was renamed or deleted is created anew.
//
// # Standard streams
//
// Without the key file, or with an empty one, Kafka's connectors use the standard streams of the process. A library leaves those alone:
// such a connector is refused unless Plugins was given streams for it.
package file
