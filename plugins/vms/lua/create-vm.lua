-- Create a VM in a project and charge for it; the operation that makes it is pending from the beginning.
-- KEYS[1] VM · KEYS[2] events · KEYS[3] audit · KEYS[4] project · KEYS[5] the user's VMs · KEYS[6] the project's VMs
-- KEYS[7] the same by name, in lower case · KEYS[8] the tenant's VMs · KEYS[9] tenant · KEYS[10] credits
-- ARGV[1] JSON {id, ownerId, name, fields: [field, value, …], most, charge, events, audit}; the tenant's own figure goes
--               before `most`, `charge` is what `charge_credits` takes
-- Returns {1, time} created, {0} no such project, {-1} it is being deleted, {-2} the name is taken, {-3, most} the user
-- has so many, {-4, code, detail} not paid, as `charge_credits` says
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include quota
local change = cjson.decode(ARGV[1])
local owner, status = unpack(redis.call('HMGET', KEYS[4], 'userId', 'status'))
if owner ~= change.ownerId then return { 0 } end
if status ~= 'active' then return { -1 } end
local name = change.name:lower()
if redis.call('HEXISTS', KEYS[7], name) == 1 then return { -2 } end
local most = quota_of(redis.call('HGET', KEYS[9], 'limits'), 'vms', change.most)
if most and redis.call('ZCARD', KEYS[5]) >= most then return { -3, most } end

local at = now()
local credits = { credits = KEYS[10], events = KEYS[2], audit = KEYS[3] }
local code, detail = charge_credits(credits, change.charge, at)
if code < 0 then return { -4, code, detail } end

local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, 'operationAt', time,
    unpack(change.fields))
for _, list in ipairs({ KEYS[5], KEYS[6], KEYS[8] }) do redis.call('ZADD', list, time, change.id) end
redis.call('HSET', KEYS[7], name, change.id)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, at }
