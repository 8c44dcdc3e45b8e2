//! Hardware from very many IPMI BMCs: a sans-IO polling engine and its driver.
