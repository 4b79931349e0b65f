-- Take a place for a live stream of a user. A place that nobody has renewed is free when its time is over.
-- KEYS[1] the user's streams, by when their places are free
-- ARGV[1] stream · ARGV[2] how many there may be · ARGV[3] lease in ms
-- Returns 1 taken, 0 there are as many as there may be
-- @include lease-time
local at = lease_time()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
