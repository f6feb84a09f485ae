package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
)

// The test binary plays parts in its own tests: run with an argument after
// "part", it is a server, or a test binary that comes to a bad end.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "part" {
		os.Exit(play(os.Args[2], os.Args[3:]))
	}
	os.Exit(Main(m))
}

func play(part string, args []string) int {
	switch part {
	case "serve": // a server on args[0]
		l, err := net.Listen("tcp", args[0])
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("serving")
		for {
			c, err := l.Accept()
			if err != nil {
				return 1
			}
			c.Close()
		}
	case "fail": // a server that does not come up
		fmt.Println("no such thing")
		return 3
	case "panic": // a test binary whose server is up when it dies
		dir, err := binary.folder("serve")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		p, err := launch(serveSpec(dir, args[0]))
		if err != nil {
			fmt.Println(err)
			return 1
		}
		if err := p.await(context.Background()); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(dir)
		panic("the end")
	}
	return 2
}
