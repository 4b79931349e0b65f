-- Read a simulated VM.
-- KEYS[1] VM
-- Returns {time in ms, state, block, address}, {time in ms} there is none
-- @include now
local vm = redis.call('HMGET', KEYS[1], 'state', 'block', 'address')
if not vm[1] then return { now() } end
return { now(), unpack(vm) }
