-- Take up a pending operation that nothing has been heard of for a while; one process takes it.
-- KEYS[1] VM
-- ARGV[1] operation id · ARGV[2] for how long, in ms
-- Returns the time when it was taken, 0 it is not pending, or was asked for or tried since
-- @include now
local pending, asked, tried = unpack(redis.call('HMGET', KEYS[1], 'operationId', 'operationAt', 'operationTriedAt'))
if pending ~= ARGV[1] then return 0 end
local at = now()
if at - math.max(tonumber(asked), tonumber(tried or 0)) < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'operationTriedAt', string.format('%d', at))
return at
