//! What people are asked, in the forms that label tools read.

mod csv;
mod cvat;
mod label_studio;

pub use csv::csv;
pub use cvat::{cvat_images, cvat_labels};
pub use label_studio::{StudioTask, studio_config, studio_tasks};
