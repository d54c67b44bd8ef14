// Verifies a copy of the public log with Go's own checksum-database packages, which share nothing
// with ours: the note's signature, every tile against the signed root, every entry against its tile,
// inclusion and consistency proofs that we made, and a receipt.
//
// usage: verify COPY OLD-CHECKPOINT CONSISTENCY RECEIPT
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func read(path string) string {
	bytes, err := os.ReadFile(path)
	check("reading", err)
	return string(bytes)
}

func hash(text string) (it tlog.Hash) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	check("a hash", err)
	if len(bytes) != len(it) {
		check("a hash", errors.New("another length"))
	}
	copy(it[:], bytes)
	return it
}

func hashes(lines []string) (all []tlog.Hash) {
	for _, line := range lines {
		if line != "" {
			all = append(all, hash(line))
		}
	}
	return all
}

// tree opens a checkpoint: whoever signed it, its size, its root.
func tree(text string, key note.Verifier) tlog.Tree {
	open, err := note.Open([]byte(text), note.VerifierList(key))
	check("the signature", err)
	lines := strings.Split(open.Text, "\n")
	if len(lines) < 4 || lines[0] != key.Name() {
		check("the checkpoint", errors.New("not of this log"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check("the size", err)
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

// tiles reads our files: tile/LEVEL/INDEX in place of tile/HEIGHT/LEVEL/INDEX.
type tiles struct{ dir string }

func (it tiles) Height() int                         { return 8 }
func (it tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (it tiles) ReadTiles(wanted []tlog.Tile) (all [][]byte, err error) {
	for _, tile := range wanted {
		path := "tile" + strings.TrimPrefix(tile.Path(), "tile/8")
		bytes, err := os.ReadFile(filepath.Join(it.dir, path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

// entries reads a bundle: each entry after its length in two bytes.
func entries(dir string, index, size int64) (all [][]byte) {
	tile := tlog.Tile{H: 8, L: 0, N: index, W: 256}
	if size-index*256 < 256 {
		tile.W = int(size - index*256)
	}
	path := "tile/entries" + strings.TrimPrefix(tile.Path(), "tile/8/0")
	bytes := []byte(read(filepath.Join(dir, path)))
	for len(bytes) >= 2 {
		length := int(bytes[0])<<8 | int(bytes[1])
		if len(bytes) < 2+length {
			check("a bundle", errors.New("cut off"))
		}
		all = append(all, bytes[2:2+length])
		bytes = bytes[2+length:]
	}
	return all
}

func receipt(text string, key note.Verifier) {
	head, checkpoint, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		check("the receipt", errors.New("not one"))
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check("the receipt's entry", err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check("the receipt's index", err)
	signed := tree(checkpoint, key)
	leaf := tlog.RecordHash(entry)
	check("the receipt", tlog.CheckRecord(hashes(lines[3:]), signed.N, signed.Hash, index, leaf))
}

func main() {
	dir := os.Args[1]
	key, err := note.NewVerifier(strings.TrimSpace(read(filepath.Join(dir, "key"))))
	check("the key", err)
	now := tree(read(filepath.Join(dir, "checkpoint")), key)
	then := tree(read(os.Args[2]), key)
	reader := tlog.TileHashReader(now, tiles{dir})
	for index := int64(0); index*256 < now.N; index++ {
		for place, entry := range entries(dir, index, now.N) {
			seq := index*256 + int64(place)
			leaf := tlog.RecordHash(entry)
			proof, err := tlog.ProveRecord(now.N, seq, reader)
			check("the tiles", err)
			check(fmt.Sprint("entry ", seq), tlog.CheckRecord(proof, now.N, now.Hash, seq, leaf))
		}
	}
	check("our consistency proof", tlog.CheckTree(
		hashes(strings.Split(read(os.Args[3]), "\n")), now.N, now.Hash, then.N, then.Hash))
	proof, err := tlog.ProveTree(now.N, then.N, reader)
	check("the tiles", err)
	check("the old checkpoint", tlog.CheckTree(proof, now.N, now.Hash, then.N, then.Hash))
	receipt(read(os.Args[4]), key)
	fmt.Println("good", now.N)
}
