-- Read how many bytes a tenant has had relayed this month, and what it may.
-- KEYS[1] tenant · KEYS[2] what the keys of the months begin with
-- Returns {bytes, plan, its own limits as JSON or ''}
-- @include now
-- @include calendar
local plan, limits = unpack(redis.call('HMGET', KEYS[1], 'plan', 'limits'))
return { redis.call('GET', KEYS[2] .. date_at(now()):sub(1, 6)) or '0', plan or '', limits or '' }
