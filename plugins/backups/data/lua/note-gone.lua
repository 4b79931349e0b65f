-- Note keys that go, and what of them is carried over into what is staged.
-- KEYS[1] restore · KEYS[2] what goes (list of JSON lists of keys) · KEYS[3] what staged keys begin with
-- KEYS[4] what does not come back (list of `<kind>/<id>`)
-- ARGV[1] JSON of the lists of keys · ARGV[2] JSON [{key, field, atLeast}] · ARGV[3] … what does not come back
-- Returns 1, 0 it is in another phase
if redis.call('HGET', KEYS[1], 'phase') ~= 'collecting' then return 0 end
for _, keys in ipairs(cjson.decode(ARGV[1])) do redis.call('RPUSH', KEYS[2], cjson.encode(keys)) end
for _, carried in ipairs(cjson.decode(ARGV[2])) do
    local key = KEYS[3] .. carried.key
    local staged = redis.call('EXISTS', key) == 1 and (redis.call('HGET', key, carried.field) or 0)
    if staged and tonumber(staged) < tonumber(carried.atLeast) then
        redis.call('HSET', key, carried.field, carried.atLeast)
    end
end
for n = 3, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[n]) end
return 1
