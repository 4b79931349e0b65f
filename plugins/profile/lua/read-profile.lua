-- Read a user's profile with everything that belongs to it.
-- KEYS[1] user · KEYS[2] choices · KEYS[3] provider keys · KEYS[4] avatar
-- Returns {1, user, choices, provider keys, {content type, size, time} of the avatar}; the first three {field, value, …}
--         {0} no such user
local user = redis.call('HGETALL', KEYS[1])
if #user == 0 then return { 0 } end
local avatar = redis.call('HMGET', KEYS[4], 'contentType', 'size', 'updatedAt')
return { 1, user, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), avatar }
