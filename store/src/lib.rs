//! The reference session store.
