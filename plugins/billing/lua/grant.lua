-- Add to a tenant's credits, or take what is free of them.
-- KEYS[1] credits · KEYS[2] events · KEYS[3] audit
-- ARGV[1] JSON {id: of the operation, amount: signed, most: what the balance may be, entry, events, audit}
-- Returns {1, the entry} done, {0, its entry} this operation has been done before, {-1, free} that much is not there,
--         {-4, balance} the balance would be more than it may
-- @include now
-- @include calendar
-- @include outbox
-- @include credits
-- @include find-entry
local keys = { credits = KEYS[1], events = KEYS[2], audit = KEYS[3] }
local grant = cjson.decode(ARGV[1])
local amount, at, operation = micros(grant.amount), now(), 'operation:' .. grant.id
local before = find_entry(keys, operation)
if before then return { 0, before } end
local free, balance = free_credits(keys)
if free + amount < 0 then return { -1, free } end
if amount > 0 and balance + amount > micros(grant.most) then return { -4, balance } end
-- Found for as long as the ledger is there: nobody gets the same credit twice, however late it is asked for again.
table.insert(grant.entry.index, operation)
move_credits(keys, grant.entry, amount, at)
append_entries(KEYS[2], KEYS[3], grant, at)
return { 1, find_entry(keys, operation) }
