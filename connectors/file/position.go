package file

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
)

// lineStart returns the start of the line that the byte at pos, from 1 on, belongs to: pos itself if a line ends right before it.
func lineStart(file io.ReaderAt, pos int64) (int64, error) {
	const step = 64 << 10
	var around [2]byte
	n, err := file.ReadAt(around[:], pos-1)
	if n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	switch {
	case n == 2 && around[0] == '\r' && around[1] == '\n': // within the end of a line
		return pos + 1, nil
	case isLineEnd(around[0]):
		return pos, nil
	}
	buf := make([]byte, min(step, pos))
	for pos > 0 {
		from := max(0, pos-int64(len(buf)))
		b := buf[:pos-from]
		if _, err := file.ReadAt(b, from); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexAny(b, "\r\n"); i >= 0 {
			return from + int64(i) + 1, nil
		}
		pos = from
	}
	return 0, nil
}

// kindOf names what a path leads to.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeDevice != 0:
		return "device"
	case m&fs.ModeSocket != 0:
		return "socket"
	}
	return "special file"
}
