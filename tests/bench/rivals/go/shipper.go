package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

const (
	batchRecords = 500
	batchBytes   = 5 * 1024 * 1024
	recordBytes  = 1024 * 1024
	queueRecords = 100_000
	keyBytes     = 8
	initTime     = 10 * time.Second

	// Calls in a row that delivered nothing or less than all, before the queue is left for the next flush.
	attempts = 5
	backoff  = 50 * time.Millisecond
)

// The queue, and PutRecords. One call at a time; what a call did not deliver stays in the queue, in
// front. What leaves the queue in another way is told.
type shipper struct {
	client *kinesis.Client
	stream string

	sending sync.Mutex // held while a call is under way

	mutex    sync.Mutex // for what follows
	queue    []types.PutRecordsRequestEntry
	deadline time.Time
}

func newShipper(ctx context.Context, stream string) (*shipper, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(initTime)
	return &shipper{client: kinesis.NewFromConfig(settings), stream: stream, deadline: deadline}, nil
}

// No call lasts longer than this. Whoever waits for a flush sets it.
func (s *shipper) setDeadline(deadline time.Time) {
	s.mutex.Lock()
	s.deadline = deadline
	s.mutex.Unlock()
}

func (s *shipper) add(data []byte) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(data)+keyBytes > recordBytes || len(s.queue) >= queueRecords {
		log.Printf("kinesis: a record of %d bytes lost: too large, or the queue is full", len(data))
		return
	}
	key := fmt.Sprintf("%08x", rand.Uint32())
	s.queue = append(s.queue, types.PutRecordsRequestEntry{Data: data, PartitionKey: aws.String(key)})
	if len(s.queue) >= batchRecords && s.sending.TryLock() {
		go s.send(batchRecords)
	}
}

// Sends all that is queued; what Kinesis does not take by the deadline stays.
func (s *shipper) flush() {
	s.sending.Lock()
	s.send(1)
}

func (s *shipper) end() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if left := len(s.queue); left > 0 {
		log.Printf("kinesis: %d records lost: not delivered by the end", left)
	}
}

// While `least` records are queued. Called with s.sending locked, which it unlocks.
func (s *shipper) send(least int) {
	defer s.sending.Unlock()
	for failures := 0; failures < attempts; {
		batch, deadline := s.next(least)
		if len(batch) == 0 || !time.Now().Before(deadline) {
			return
		}
		if failures > 0 {
			time.Sleep(min(rand.N(backoff<<failures), time.Until(deadline)))
		}
		left := s.put(batch, deadline)
		s.replace(len(batch), left)
		failures++
		if len(left) == 0 {
			failures = 0
		}
	}
}

// The records of the next call, none when fewer than `least` are queued. They stay in the queue.
func (s *shipper) next(least int) ([]types.PutRecordsRequestEntry, time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.queue) < least {
		return nil, s.deadline
	}
	size := 0
	for i, one := range s.queue {
		size += len(one.Data) + keyBytes
		if i == batchRecords || size > batchBytes {
			return s.queue[:i:i], s.deadline
		}
	}
	return s.queue[:len(s.queue):len(s.queue)], s.deadline
}

// What of the batch was not delivered. Retries of whole calls are the SDK's.
func (s *shipper) put(batch []types.PutRecordsRequestEntry, deadline time.Time) []types.PutRecordsRequestEntry {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	reply, err := s.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &s.stream, Records: batch})
	if err != nil {
		log.Printf("kinesis: %v", err)
		return batch
	}
	var left []types.PutRecordsRequestEntry
	for i, result := range reply.Records {
		if result.ErrorCode != nil {
			left = append(left, batch[i])
		}
	}
	return left
}

// Puts what is left of the first `count` records in their place.
func (s *shipper) replace(count int, left []types.PutRecordsRequestEntry) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	rest := s.queue[count-len(left):]
	copy(rest, left)
	clear(s.queue[:count-len(left)])
	s.queue = rest
	if len(rest) == 0 {
		s.queue = nil
	}
}
