-- Take tenants that are due to be looked at; one process takes each, until it is due again.
-- KEYS[1] tenants, by when they are due
-- ARGV[1] until they are due again, in ms · ARGV[2] how many
-- Returns {tenant, …}
-- @include now
local at = now()
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', at), 'LIMIT', 0, ARGV[2])
for _, tenant in ipairs(found) do redis.call('ZADD', KEYS[1], string.format('%d', at + ARGV[1]), tenant) end
return found
