-- Claims whose registration must have ended by now, one way or the other.
-- KEYS[1] claims
-- ARGV[1] age in milliseconds · ARGV[2] how many at most
-- Returns {"<tenant id> <domain>", …}
-- @include now
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now() - ARGV[1]), 'LIMIT', 0, ARGV[2])
