-- Keep the digest of a token that resets a user's password.
-- KEYS[1] the user's reset tokens, by expiry · KEYS[2] events · KEYS[3] audit
-- ARGV[1] digest · ARGV[2] lifetime in milliseconds · ARGV[3] how many there may be, 0 for any number
-- ARGV[4] JSON {events, audit}
-- Returns when it expires, in milliseconds since the epoch, or 0 when there are too many already
-- @include now
-- @include outbox
local at = now()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at))
local most = tonumber(ARGV[3])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most then return 0 end
local expiry = at + tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], string.format('%d', expiry), ARGV[1])
redis.call('PEXPIREAT', KEYS[1], string.format('%d', expiry))
append_entries(KEYS[2], KEYS[3], cjson.decode(ARGV[4]), at)
return expiry
