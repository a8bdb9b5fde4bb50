include Z (* Zarith, under a name that no extracted module hides *)
