-- The sessions of a user that are alive, those that live longest first.
-- KEYS[1] the user's sessions · KEYS[2] what session keys begin with · KEYS[3] tenant · KEYS[4] user
-- ARGV[1] how many at most
-- Returns {{field, value, …}, …}
-- @include now
-- @include epoch
local tenant_epoch = redis.call('HGET', KEYS[3], 'epoch')
local user_epoch = redis.call('HGET', KEYS[4], 'epoch')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now()))
local alive = {}
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
    if #alive == tonumber(ARGV[1]) then break end
    local began = redis.call('HGET', KEYS[2] .. id, 'createdAt')
    if began and not is_over(began, tenant_epoch, user_epoch) then
        alive[#alive + 1] = redis.call('HGETALL', KEYS[2] .. id)
    end
end
return alive
