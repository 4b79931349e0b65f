-- Note that a proxy is about to run, or is to be looked at earlier than it would be.
-- KEYS[1] proxies to be checked, KEYS[2] to be sampled, by when they are due · KEYS[3] by when they were noted last
-- ARGV[1] proxy · ARGV[2] until it is checked, in ms · ARGV[3] until it is sampled
-- @include now
local at = now()
local due, before = at + ARGV[2], redis.call('ZSCORE', KEYS[1], ARGV[1])
if not before or tonumber(before) > due then redis.call('ZADD', KEYS[1], string.format('%d', due), ARGV[1]) end
redis.call('ZADD', KEYS[2], 'NX', string.format('%d', at + ARGV[3]), ARGV[1])
redis.call('ZADD', KEYS[3], string.format('%d', at), ARGV[1])
