-- Lock the tenant, so that what is staged can be put in the place of what it has.
-- KEYS[1] restore · KEYS[2] tenant · then what keeps track of what is staged, and staged keys that are parts
-- ARGV[1] restore id · ARGV[2] JSON of the components · ARGV[3] milliseconds that what is staged has to be there yet
-- Returns {phase that it is in now, milliseconds since the lock, JSON of the components}, {'', phase} it cannot be
-- @include now
local phase, locked, components, deadline =
    unpack(redis.call('HMGET', KEYS[1], 'phase', 'lockedAt', 'components', 'until'))
local at = now()
if phase == 'collecting' or phase == 'swapping' then return { phase, at - locked, components } end
if phase == 'done' then return { phase, 0, components } end
if phase ~= 'staged' or deadline - at < tonumber(ARGV[3]) then return { '', phase or 'expired' } end
if redis.call('EXISTS', KEYS[2]) == 0 then return { '', 'expired' } end
local other = redis.call('HGET', KEYS[2], 'restoring')
if other and other ~= ARGV[1] then return { '', 'waiting' } end
redis.call('HSET', KEYS[2], 'restoring', ARGV[1])
redis.call('HSET', KEYS[1], 'phase', 'collecting', 'lockedAt', string.format('%d', at), 'components', ARGV[2])
redis.call('PERSIST', KEYS[1])
for n = 3, #KEYS do redis.call('PERSIST', KEYS[n]) end
return { 'collecting', 0, ARGV[2] }
