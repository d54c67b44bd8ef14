// Checks a receipt of Haetae's public log with the libraries of the Go project.
//
//	go run check.go 'KEY' FILE.tlog-proof
//
// KEY is the log's key, FILE a receipt (https://c2sp.org/tlog-proof).
package main

import (
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: go run check.go 'KEY' FILE.tlog-proof")
	}
	verifier := must(note.NewVerifier(os.Args[1]))
	head, checkpoint, found := strings.Cut(string(must(os.ReadFile(os.Args[2]))), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatal("not a receipt")
	}
	// Our receipts carry the entry itself as extra data.
	entry := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	index := must(strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64))
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		path = append(path, must(tlog.ParseHash(line)))
	}
	signed := must(note.Open([]byte(checkpoint), note.VerifierList(verifier)))
	tree := strings.Split(signed.Text, "\n")
	if len(tree) < 4 || tree[0] != verifier.Name() {
		log.Fatal("the checkpoint is of another log")
	}
	size := must(strconv.ParseInt(tree[1], 10, 64))
	root := must(tlog.ParseHash(tree[2]))
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash(entry)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("entry %d is on the log of %d entries:\n%s\n", index, size, entry)
}
