-- What is used of a tenant's quotas of the month and of a user's slots.
-- KEYS[1] quota · KEYS[2] slots (zset by expiry) · KEYS[3] tenant · KEYS[4] relayed bytes
-- Returns {requests, slots in use, plan, JSON of the tenant's own figures or '', relayed bytes as text}
-- @include now
local plan, overrides = unpack(redis.call('HMGET', KEYS[3], 'plan', 'limits'))
local running = redis.call('ZCOUNT', KEYS[2], '(' .. string.format('%d', now()), '+inf')
return { tonumber(redis.call('HGET', KEYS[1], 'requests') or 0), running, plan, overrides or '',
    redis.call('GET', KEYS[4]) or '0' }
